// Package collector reads a director once per interval and hands the reading,
// completed, to every window. A [Sampler] keeps the time: ticks on the wall
// clock's grid, one reading for each, and no sink that is slow or failing holds
// up another or the next tick. A [Continuity] keeps the accounts: totals that go
// on rising when the kernel's counters start anew, row numbers given once, and
// rates.
//
// The way of a reading is
//
//	Source → Continuity → Ledger (durable) → Latest and the sinks (visible)
//
// A row number or a total is durable before anybody can see it, as long as the
// ledger keeps up; the sampler waits for it a little while only, counts the
// delay, and serves on.
package collector
