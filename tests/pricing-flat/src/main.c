/* A pricing rule in C: 5 % off everything, rounded down. It is the example of docs/add-a-component.md, and
 * shows that any language with a C compiler's ABI can join. */
#include <stdlib.h>

#include "pricing.h"

static const uint64_t LARGEST = INT64_MAX;

bool exports_shop_pricing_policy_adjust(
    exports_shop_pricing_policy_list_line_t *lines,
    exports_shop_pricing_policy_tier_t tier,
    exports_shop_pricing_policy_list_adjustment_t *adjustments,
    exports_shop_pricing_policy_refusal_t *refusal)
{
    (void)tier;
    uint64_t subtotal = 0;
    for (size_t i = 0; i < lines->len; i++) {
        /* At most 10^6 units of 10^15 each: the product needs more than 64 bits. */
        unsigned __int128 gross = (unsigned __int128)lines->ptr[i].quantity * lines->ptr[i].unit_price;
        if (gross > LARGEST - subtotal) {
            exports_shop_pricing_policy_list_line_free(lines);
            refusal->tag = EXPORTS_SHOP_PRICING_POLICY_REFUSAL_TOO_LARGE;
            return false;
        }
        subtotal += (uint64_t)gross;
    }
    /* The arguments are ours: whoever receives a list frees it. */
    exports_shop_pricing_policy_list_line_free(lines);

    adjustments->len = 0;
    adjustments->ptr = NULL;
    uint64_t rebate = subtotal / 20;
    if (rebate > 0) {
        /* The answer is the caller's: it is freed, with its strings, after it was copied. */
        adjustments->ptr = malloc(sizeof *adjustments->ptr);
        adjustments->len = 1;
        adjustments->ptr[0].line.is_some = false;
        pricing_string_dup(&adjustments->ptr[0].reason, "5 % off everything");
        adjustments->ptr[0].amount = -(int64_t)rebate;
    }
    return true;
}
