/*
 * A Vulkan driver for gpu-report: Mesa's RADV, but what would record commands, submit them or wait for them does
 * nothing. For a GPU that is not there (RADV_FORCE_FAMILY) RADV compiles pipelines and cannot record, which Dawn does
 * once when it opens a device. So Dawn opens one here, and turns WGSL into SPIR-V as it would for that very GPU, f16
 * included.
 *
 *   gcc -shared -fPIC -o driver.so gpu-report-driver.c
 *   QUIETED_DRIVER: path of RADV's library
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>
#include <vulkan/vk_icd.h>

typedef PFN_vkVoidFunction (*Find)(VkInstance, const char *);

static PFN_vkGetDeviceProcAddr find_of_device;

static void *radv(const char *name) {
  static void *library;
  const char *path = getenv("QUIETED_DRIVER");
  if (!library && path) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return library ? dlsym(library, name) : NULL;
}

/* Stands for all functions that record, submit or wait: they return VK_SUCCESS or nothing. */
static VkResult nothing(void) { return VK_SUCCESS; }

static int is_quiet(const char *name) {
  return !strncmp(name, "vkCmd", 5) || !strncmp(name, "vkQueueSubmit", 13) || !strncmp(name, "vkResetCommand", 14) ||
         !strcmp(name, "vkBeginCommandBuffer") || !strcmp(name, "vkEndCommandBuffer") ||
         !strcmp(name, "vkWaitForFences") || !strcmp(name, "vkGetFenceStatus");
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL find_quieted(VkDevice device, const char *name) {
  return is_quiet(name) ? (PFN_vkVoidFunction)nothing : find_of_device(device, name);
}

PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char *name) {
  Find find = (Find)radv("vk_icdGetInstanceProcAddr");
  PFN_vkVoidFunction found = find ? find(instance, name) : NULL;
  if (!found) return NULL;
  if (is_quiet(name)) return (PFN_vkVoidFunction)nothing;
  if (strcmp(name, "vkGetDeviceProcAddr")) return found;
  find_of_device = (PFN_vkGetDeviceProcAddr)found;
  return (PFN_vkVoidFunction)find_quieted;
}

PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name) {
  Find find = (Find)radv("vk_icdGetPhysicalDeviceProcAddr");
  return find ? find(instance, name) : NULL;
}

VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  VkResult (*negotiate)(uint32_t *) = radv("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : VK_ERROR_INCOMPATIBLE_DRIVER;
}
