// The browser comes from an environment variable, an installed Chrome, or @sparticuz/chromium: see test/platforms/browser.mjs.
module.exports = { skipDownload: true };
