//! Between the contract and the rule: `shop:pricing/policy` as a component in Zig.
//!
//! Zig has no binding generator of its own. The header that wit-bindgen writes for C, translated by
//! `zig translate-c`, is the module `bindings`; the C file beside it is linked in and does the lifting and
//! lowering.
//!
//! Memory: what arrives belongs to this side, so it is freed here. What is returned belongs to the caller
//! and is freed by the generated post-return function, which is why it comes from C's allocator.

const std = @import("std");
const bindings = @import("bindings");
const policy = @import("policy.zig");

/// A panic is a trap. The standard library's own handler would write to standard error, and bring the WASI
/// imports along that this needs.
pub const panic = std.debug.no_panic;

/// The names that the header gives to the contract's types.
const Lines = bindings.exports_shop_pricing_policy_list_line_t;
const Tier = bindings.exports_shop_pricing_policy_tier_t;
const Adjustments = bindings.exports_shop_pricing_policy_list_adjustment_t;
const Adjustment = bindings.exports_shop_pricing_policy_adjustment_t;
const Refusal = bindings.exports_shop_pricing_policy_refusal_t;

/// `adjust` of the contract: true where `ok` was written, false where `err` was.
export fn exports_shop_pricing_policy_adjust(lines: *Lines, tier: Tier, ok: *Adjustments, err: *Refusal) bool {
    defer bindings.exports_shop_pricing_policy_list_line_free(lines);

    var buffer: [policy.most_adjustments]policy.Adjustment = undefined;
    switch (policy.adjust(lines.ptr[0..lines.len], @fromBackingInt(@intCast(tier)), &buffer)) {
        .ok => |adjustments| ok.* = lower(adjustments),
        .err => |refusal| {
            err.* = lowerRefusal(refusal);
            return false;
        },
    }
    return true;
}

fn lower(adjustments: []const policy.Adjustment) Adjustments {
    // An empty list has no memory, and nobody frees it.
    if (adjustments.len == 0) return .{ .ptr = null, .len = 0 };
    const memory = std.heap.c_allocator.alloc(Adjustment, adjustments.len) catch @trap();
    for (memory, adjustments) |*to, from| {
        to.* = .{
            .line = .{ .is_some = from.line != null, .val = from.line orelse 0 },
            .amount = from.amount,
        };
        bindings.pricing_string_dup_n(&to.reason, from.reason.ptr, from.reason.len);
    }
    return .{ .ptr = memory.ptr, .len = memory.len };
}

fn lowerRefusal(refusal: policy.Refusal) Refusal {
    return switch (refusal) {
        .invalid_line => |index| .{
            .tag = bindings.EXPORTS_SHOP_PRICING_POLICY_REFUSAL_INVALID_LINE,
            .val = .{ .invalid_line = index },
        },
        .too_many_lines => |count| .{
            .tag = bindings.EXPORTS_SHOP_PRICING_POLICY_REFUSAL_TOO_MANY_LINES,
            .val = .{ .too_many_lines = count },
        },
        .too_large => .{ .tag = bindings.EXPORTS_SHOP_PRICING_POLICY_REFUSAL_TOO_LARGE },
    };
}
