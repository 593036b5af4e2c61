/**
 * A software WebGPU adapter out of npm packages: @sparticuz/chromium carries a headless Chromium and, beside it,
 * SwiftShader, a Vulkan device on the CPU, which Dawn (Node) and wgpu (Deno) can use too. Its files are unpacked
 * here, into node_modules/.cache: its own unpacking shares one folder of /tmp among all users and versions.
 */
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { cache, root, versionOf } from "../files.mjs";

const packageName = "@sparticuz/chromium";

/**
 * @typedef {object} SoftwareAdapter
 * @property {string} browser - path of the headless Chromium.
 * @property {Record<string, string>} vulkan - environment in which a process finds the Vulkan device, and no other.
 * @property {Record<string, string>} libraries - environment that Chromium needs where its libraries are missing.
 */

/** Whether the npm package has files for this machine. */
export const softwareAdapterExists = process.platform === "linux" && process.arch === "x64";

/**
 * Unpacks the adapter once. Whoever comes second, also from another process, finds it there: the folder appears
 * whole, by a rename.
 * @returns {Promise<SoftwareAdapter>}
 */
export async function softwareAdapter() {
  if (!softwareAdapterExists) {
    throw new Error(`The software adapter is for Linux on x64; this is ${process.platform} on ${process.arch}.`);
  }
  const folder = join(cache, `chromium-${versionOf(packageName)}`);
  if (!existsSync(folder)) await unpack(folder);
  const driver = join(folder, "vk_swiftshader_icd.json");
  return {
    browser: join(folder, "chromium"),
    // Vulkan's loader reads the first name up to 1.3.206, the second since.
    vulkan: { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: libraryPath(folder) },
    libraries: { LD_LIBRARY_PATH: libraryPath(join(folder, "lib")), FONTCONFIG_FILE: join(folder, "fonts.conf") },
  };
}

/** @param {string} folder */
function libraryPath(folder) {
  const inherited = process.env.LD_LIBRARY_PATH;
  return inherited ? `${folder}:${inherited}` : folder;
}

/** @param {string} folder */
async function unpack(folder) {
  const packed = join(root, "node_modules", packageName, "bin");
  const temporary = `${folder}.${process.pid}.tmp`;
  await mkdir(temporary, { recursive: true });
  try {
    const browser = join(temporary, "chromium");
    await Promise.all([
      pipeline(createReadStream(join(packed, "chromium.br")), createBrotliDecompress(), createWriteStream(browser)),
      ...["swiftshader", "al2023", "fonts"].map((name) => unpackTar(join(packed, `${name}.tar.br`), temporary)),
    ]);
    await chmod(browser, 0o755);
    await writeFile(join(temporary, "fonts.conf"), fontConfiguration(folder));
    await rename(temporary, folder).catch((error) => {
      if (!existsSync(folder)) throw error; // else another process was first
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Fonts of the system where it has some, and those of the package. @param {string} folder */
function fontConfiguration(folder) {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;
}

/**
 * Writes the regular files of a brotli-compressed ustar archive into a folder.
 * @param {string} file
 * @param {string} folder
 */
async function unpackTar(file, folder) {
  /** @type {Buffer[]} */
  const chunks = [];
  await pipeline(createReadStream(file), createBrotliDecompress(), async (source) => {
    for await (const chunk of source) chunks.push(chunk);
  });
  const archive = Buffer.concat(chunks);
  // A header of 512 bytes: name at 0, octal size at 124, type at 156, name prefix at 345; contents in whole blocks.
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (/** @type {number} */ start, /** @type {number} */ length) =>
      archive.toString("utf8", at + start, at + start + length).split("\0")[0];
    const size = Number.parseInt(text(124, 12), 8);
    const name = normalize(join(text(345, 155), text(0, 100)));
    const type = text(156, 1);
    if (type === "0" || type === "") {
      if (name.startsWith("..")) throw new Error(`${file} holds "${name}", which is outside its folder.`);
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, archive.subarray(at + 512, at + 512 + size), { mode: 0o755 });
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
