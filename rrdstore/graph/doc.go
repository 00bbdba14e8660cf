// Package graph draws history: what a query of a store found, as an SVG or a PNG
// picture with a table of figures below it.
//
// A [Graph] says what to draw. [Kind] makes the usual ones of a query's result:
//
//	sources, functions := graph.Traffic.Query()
//	// … ask the store …
//	g, err := graph.Traffic.Graph(result, nil)
//	g.Zone, g.Theme = time.Local, graph.Auto
//	err = g.SVG(w)
//
// What is drawn is what is known. An unknown value is a gap, never a line across
// it and never zero; what cannot be counted is "n/a". Where there are more values
// than pixels, each pixel shows the least, the greatest and the mean of its
// values. The same Graph gives the same bytes; another processor's arithmetic may
// round a tenth of a pixel the other way.
//
// SVG pictures hold no scripts and refer to nothing outside; only those of the
// theme [Auto] hold a style element (which a Content-Security-Policy must allow).
// Their text is set in the viewer's own font, that of PNG pictures in the Go
// fonts, which know the Latin, Greek and Cyrillic scripts.
//
// All functions are safe for concurrent use as long as nobody changes the Graph.
package graph
