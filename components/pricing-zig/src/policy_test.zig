//! The table of cases that every pricing component is tested with, against this one's logic.
//!
//! `python -m ziglang test policy_test.zig`, in this directory, or with the path in one above it.

const std = @import("std");
const policy = @import("policy.zig");

const Line = struct { sku: []const u8, quantity: u32, @"unit-price": []const u8 };
const Adjustment = struct { line: ?u32, reason: []const u8, amount: []const u8 };
const Refusal = struct { kind: []const u8, value: ?[]const u8 = null };
const Case = struct {
    name: []const u8,
    tier: policy.Tier,
    lines: []const Line,
    ok: ?[]const Adjustment = null,
    err: ?Refusal = null,
};

test "every case of the table" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const Table = struct { cases: []const Case };
    const table = try std.json.parseFromSliceLeaky(Table, arena.allocator(), try readTable(arena.allocator()), .{});

    for (table.cases) |case| {
        expectCase(case, arena.allocator()) catch |failure| {
            std.debug.print("in the case `{s}`\n", .{case.name});
            return failure;
        };
    }
}

/// Looks for the table upwards from the working directory: Zig embeds no file from outside a module's directory.
fn readTable(allocator: std.mem.Allocator) ![]const u8 {
    const cwd = std.Io.Dir.cwd();
    const table = "tests/pricing/cases.json";
    for ([_][]const u8{ table, "../" ++ table, "../../" ++ table, "../../../" ++ table }) |path| {
        return cwd.readFileAlloc(std.testing.io, path, allocator, .unlimited) catch |failure| switch (failure) {
            error.FileNotFound => continue,
            else => |other| other,
        };
    }
    return error.NotInTheCheckout;
}

fn expectCase(case: Case, allocator: std.mem.Allocator) !void {
    const Priced = struct { quantity: u32, unit_price: u64 };
    const lines = try allocator.alloc(Priced, case.lines.len);
    for (lines, case.lines) |*to, from| {
        to.* = .{ .quantity = from.quantity, .unit_price = try std.fmt.parseInt(u64, from.@"unit-price", 10) };
    }

    var buffer: [policy.most_adjustments]policy.Adjustment = undefined;
    switch (policy.adjust(lines, case.tier, &buffer)) {
        .ok => |got| {
            const want = case.ok orelse return error.NotRefused;
            try std.testing.expectEqual(want.len, got.len);
            for (want, got) |expected, actual| {
                try std.testing.expectEqual(expected.line, actual.line);
                try std.testing.expectEqualStrings(expected.reason, actual.reason);
                try std.testing.expectEqual(try std.fmt.parseInt(i64, expected.amount, 10), actual.amount);
            }
        },
        .err => |got| {
            const want = case.err orelse return error.Refused;
            try std.testing.expectEqualStrings(want.kind, switch (got) {
                .invalid_line => "invalid-line",
                .too_many_lines => "too-many-lines",
                .too_large => "too-large",
            });
            const value: ?u32 = switch (got) {
                .invalid_line, .too_many_lines => |carried| carried,
                .too_large => null,
            };
            const expected: ?u32 = if (want.value) |digits| try std.fmt.parseInt(u32, digits, 10) else null;
            try std.testing.expectEqual(expected, value);
        },
    }
}
