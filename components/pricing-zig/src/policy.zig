//! The standard pricing rule, as `wit/deps/shop-pricing/policy.wit` numbers its steps.
//!
//! Plain logic: it knows nothing of components, allocates nothing, and is tested natively with the table
//! of cases that all pricing components share (`policy_test.zig`).
//!
//! Amounts are whole minor units. The largest cart is 100 lines of 10^6 units at 10^15, so a sum of line
//! totals needs 77 bits and a product with a rate 91: `u128` holds both, and nothing here can overflow.

/// Lines that a cart may have.
pub const most_lines = 100;

/// Adjustments that an answer can have: a break for every line, the tier rebate and the cap.
pub const most_adjustments = most_lines + 2;

const most_units = 1_000_000;
const most_price = 1_000_000_000_000_000;
const most_money = (1 << 63) - 1;

/// Of the subtotal, in basis points: what all rebates together may come to.
const cap = 1500;

/// The customer's standing, in the order of the contract.
pub const Tier = enum(u8) { standard, silver, gold };

/// A change to what the customer pays.
pub const Adjustment = struct {
    /// The line it belongs to; null for the whole cart.
    line: ?u32,
    /// Lives as long as the program.
    reason: []const u8,
    /// Never zero; negative for a rebate.
    amount: i64,
};

/// Why a cart cannot be priced. The standard rule has no case for `declined`.
pub const Refusal = union(enum) {
    invalid_line: u32,
    too_many_lines: u32,
    too_large,
};

/// What the rule says to a cart.
pub const Answer = union(enum) {
    /// A beginning of the buffer that was given.
    ok: []const Adjustment,
    err: Refusal,
};

/// A rate in basis points, and what the customer is told about it.
const Rate = struct { basis_points: u128, reason: []const u8 };

fn breakRate(quantity: u32) ?Rate {
    if (quantity >= 100) return .{ .basis_points = 1200, .reason = "quantity break 12 %" };
    if (quantity >= 50) return .{ .basis_points = 700, .reason = "quantity break 7 %" };
    if (quantity >= 10) return .{ .basis_points = 300, .reason = "quantity break 3 %" };
    return null;
}

fn tierRate(tier: Tier) ?Rate {
    return switch (tier) {
        .standard => null,
        .silver => .{ .basis_points = 200, .reason = "silver tier 2 %" },
        .gold => .{ .basis_points = 500, .reason = "gold tier 5 %" },
    };
}

/// `amount × basis_points / 10000` to the nearest integer, a half to the even neighbour.
fn share(amount: u128, basis_points: u128) u128 {
    @setRuntimeSafety(true);
    const product = amount * basis_points;
    const quotient = product / 10_000;
    const rest = product % 10_000;
    const up = rest > 5_000 or (rest == 5_000 and quotient % 2 == 1);
    return quotient + @intFromBool(up);
}

/// What the customer pays differently, written into `buffer`.
///
/// `lines` is a slice of anything with a `quantity: u32` and a `unit_price: u64`: the caller's own records
/// serve as they are. The first rule that is broken decides the refusal.
pub fn adjust(lines: anytype, tier: Tier, buffer: *[most_adjustments]Adjustment) Answer {
    // A component is built without checks, to be small. Where the sums are done they stay on: a mistake
    // here must end in a trap, not in a wrong amount.
    @setRuntimeSafety(true);

    if (lines.len > most_lines) return .{ .err = .{ .too_many_lines = @intCast(lines.len) } };
    for (lines, 0..) |line, index| {
        if (line.quantity < 1 or line.quantity > most_units or line.unit_price > most_price) {
            return .{ .err = .{ .invalid_line = @intCast(index) } };
        }
    }

    var subtotal: u128 = 0;
    for (lines) |line| subtotal += @as(u128, line.quantity) * line.unit_price;
    if (subtotal > most_money) return .{ .err = .too_large };

    var count: usize = 0;
    var breaks: u128 = 0;
    for (lines, 0..) |line, index| {
        const rate = breakRate(line.quantity) orelse continue;
        const amount = share(@as(u128, line.quantity) * line.unit_price, rate.basis_points);
        if (amount == 0) continue;
        breaks += amount;
        buffer[count] = .{ .line = @intCast(index), .reason = rate.reason, .amount = -@as(i64, @intCast(amount)) };
        count += 1;
    }

    var rebates = breaks;
    if (tierRate(tier)) |rate| {
        const amount = share(subtotal - breaks, rate.basis_points);
        if (amount > 0) {
            rebates += amount;
            buffer[count] = .{ .line = null, .reason = rate.reason, .amount = -@as(i64, @intCast(amount)) };
            count += 1;
        }
    }

    const limit = subtotal * cap / 10_000;
    if (rebates > limit) {
        buffer[count] = .{ .line = null, .reason = "rebates capped at 15 %", .amount = @intCast(rebates - limit) };
        count += 1;
    }
    return .{ .ok = buffer[0..count] };
}
