//! A pricing rule that means harm, in the ways that a language without guards has: a fixture for tests of the host.
//!
//! The first line's SKU chooses how; any other is priced honestly, without adjustments.

const std = @import("std");
const bindings = @import("bindings");

/// A panic is a trap.
pub const panic = std.debug.no_panic;

const Lines = bindings.exports_shop_pricing_policy_list_line_t;
const Tier = bindings.exports_shop_pricing_policy_tier_t;
const Adjustments = bindings.exports_shop_pricing_policy_list_adjustment_t;
const Adjustment = bindings.exports_shop_pricing_policy_adjustment_t;
const Refusal = bindings.exports_shop_pricing_policy_refusal_t;

/// What the optimizer must not know.
var unknown: u32 = 0;

export fn exports_shop_pricing_policy_adjust(lines: *Lines, tier: Tier, ok: *Adjustments, err: *Refusal) bool {
    _ = tier;
    _ = err;
    ok.* = .{ .ptr = null, .len = 0 };
    if (lines.len == 0) return true;
    const sku = lines.ptr[0].sku;
    const how = sku.ptr[0..sku.len];
    if (is(how, "LOOP")) while (true) tick();
    if (is(how, "RECURSE")) unknown = deeper(1);
    if (is(how, "GROW")) while (true) if (@wasmMemoryGrow(0, 16) < 0) @trap();
    if (is(how, "TRAP")) @trap();
    if (is(how, "DIVIDE")) unknown = 7 / @as(*volatile u32, &unknown).*;
    if (is(how, "CALLS")) while (true) {
        _ = bindings.wasi_clocks_monotonic_clock_now();
    };
    if (is(how, "TIMERS")) while (true) {
        _ = bindings.wasi_clocks_monotonic_clock_subscribe_duration(std.math.maxInt(u64));
    };
    if (is(how, "WAIT")) {
        const timer = bindings.wasi_clocks_monotonic_clock_subscribe_duration(std.math.maxInt(u64));
        bindings.wasi_io_poll_method_pollable_block(bindings.wasi_io_poll_borrow_pollable(timer));
    }
    if (is(how, "DROP-TWICE")) {
        const timer = bindings.wasi_clocks_monotonic_clock_subscribe_duration(1);
        bindings.wasi_io_poll_pollable_drop_own(timer);
        bindings.wasi_io_poll_pollable_drop_own(timer);
    }
    if (is(how, "NO-TEXT")) answer(ok, "\xff\xfe\xc0\x80");
    return true;
}

fn is(how: []const u8, name: []const u8) bool {
    return std.mem.eql(u8, how, name);
}

fn tick() void {
    const counter: *volatile u32 = &unknown;
    counter.* +%= 1;
}

fn deeper(depth: u32) u32 {
    tick();
    var here: [64]u32 = undefined;
    const place: *volatile [64]u32 = &here;
    place[depth % 64] = depth;
    return @call(.never_inline, deeper, .{depth +% 1}) +% place[(depth +% 1) % 64];
}

/// One adjustment by a cent, with this reason.
fn answer(ok: *Adjustments, reason: []const u8) void {
    const memory = std.heap.c_allocator.alloc(Adjustment, 1) catch @trap();
    memory[0] = .{ .line = .{ .is_some = false, .val = 0 }, .amount = -1 };
    bindings.waiting_rule_string_dup_n(&memory[0].reason, reason.ptr, reason.len);
    ok.* = .{ .ptr = memory.ptr, .len = 1 };
}
