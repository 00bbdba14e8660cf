package export

import (
	"slices"

	"lvs/rrdstore"
)

// A Part is what one query asks for, or several in order of time.
type Part struct {
	Series    []*rrdstore.Series
	Sources   []string
	Functions []rrdstore.Function // nil for raw rows
}

// Parts splits what is to be written into the parts, and the order, that a format
// wants: OpenMetrics one family after another, every other format everything at
// once. No part has more than limit series, zero being no limit, except that JSON
// cannot be split.
func Parts(f Format, series []*rrdstore.Series, sources []string, functions []rrdstore.Function, limit int) []Part {
	if f == JSON || limit <= 0 {
		limit = max(len(series), 1)
	}
	if f != OpenMetrics {
		var parts []Part
		for group := range slices.Chunk(series, limit) {
			parts = append(parts, Part{group, sources, functions})
		}
		return parts
	}
	var scoped [numScopes][]*rrdstore.Series
	for _, s := range series {
		scoped[scopeOf(s)] = append(scoped[scopeOf(s)], s)
	}
	each := [][]rrdstore.Function{nil}
	if len(functions) > 0 {
		each = slices.Collect(slices.Chunk(functions, 1))
	}
	var parts []Part
	for _, series := range scoped {
		for source := range slices.Chunk(standardFirst(sources), 1) {
			for _, function := range each {
				for group := range slices.Chunk(series, limit) {
					parts = append(parts, Part{group, source, function})
				}
			}
		}
	}
	return parts
}
