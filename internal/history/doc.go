// Package history is what lvs-exporter and the agent's API have in common: how
// series, times and values are asked for, and how the answer is made piece by
// piece so that it takes little memory however much was asked for.
package history
