/* Greets in the words of a setting, wherever that comes from. */
#include "greeter.h"

bool exports_example_worlds_greetings_greet(greeter_string_t *greeting)
{
    greeter_string_t key;
    greeter_option_string_t found;
    wasi_config_store_error_t error;

    greeter_string_set(&key, "greeting");
    if (!wasi_config_store_get(&key, &found, &error)) {
        wasi_config_store_error_free(&error);
        return false;
    }
    /* The string is handed on to whoever called. */
    *greeting = found.val;
    return found.is_some;
}
