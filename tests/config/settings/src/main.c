/* Settings that are fixed when the component is built. */
#include <stdlib.h>
#include <string.h>

#include "settings.h"

static const char *const SETTINGS[][2] = {
    {"greeting", "Good day"},
    {"colour", "green"},
};
static const size_t COUNT = sizeof SETTINGS / sizeof *SETTINGS;

bool exports_wasi_config_store_get(
    settings_string_t *key, settings_option_string_t *found, exports_wasi_config_store_error_t *error)
{
    (void)error;
    found->is_some = false;
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = SETTINGS[i][0];
        if (key->len == strlen(name) && memcmp(key->ptr, name, key->len) == 0) {
            found->is_some = true;
            settings_string_dup(&found->val, SETTINGS[i][1]);
        }
    }
    settings_string_free(key);
    return true;
}

bool exports_wasi_config_store_get_all(
    settings_list_tuple2_string_string_t *all, exports_wasi_config_store_error_t *error)
{
    (void)error;
    all->len = COUNT;
    all->ptr = malloc(COUNT * sizeof *all->ptr);
    for (size_t i = 0; i < COUNT; i++) {
        settings_string_dup(&all->ptr[i].f0, SETTINGS[i][0]);
        settings_string_dup(&all->ptr[i].f1, SETTINGS[i][1]);
    }
    return true;
}
