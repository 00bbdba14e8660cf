package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// graphs are the graphs of the device, with a data source of each.
func (m *monitor) graphs() [][]string {
	m.t.Helper()
	return m.sql(`SELECT gtg.local_graph_id, gtg.title_cache, MAX(dtr.local_data_id), GROUP_CONCAT(DISTINCT dtr.local_data_id) FROM graph_templates_graph AS gtg
		JOIN graph_templates_item AS gti ON gti.local_graph_id = gtg.local_graph_id JOIN data_template_rrd AS dtr ON dtr.id = gti.task_item_id
		WHERE gtg.local_graph_id > 0 GROUP BY gtg.local_graph_id ORDER BY gtg.local_graph_id`)
}

// checkTitles looks whether each graph is named after what its data are about.
func (m *monitor) checkTitles() {
	m.t.Helper()
	for _, g := range m.graphs() {
		title, owner := g[1], m.owners[g[2]]
		if strings.Contains(title, "|") || strings.Contains(title, "(LVS-MIB)") == (owner != "" && strings.Contains(title, m.director.title(owner))) && owner != "" {
			m.t.Errorf("the graph of %q is titled %q", owner, title)
		}
	}
}

// checkPictures renders every graph and looks whether in each of those that have
// anything to show something is drawn.
func (m *monitor) checkPictures() {
	m.t.Helper()
	dir := m.t.TempDir()
	m.php(absolute(m.t, "testdata/render.php"), m.path("site"), dir, "120")
	graphs, blank := m.graphs(), 0
	for _, g := range graphs {
		b, err := os.ReadFile(filepath.Join(dir, g[0]+".png"))
		m.must(err)
		picture, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			m.t.Errorf("%s: %v: %.200q", g[1], err, b)
			continue
		}
		shows := false
		for _, ds := range strings.Split(g[3], ",") {
			shows = shows || m.drawn[ds]
		}
		switch drawn := coloured(picture); {
		case shows && drawn == 0:
			m.t.Errorf("%s: nothing is drawn", g[1])
		case drawn == 0:
			blank++
		}
	}
	m.t.Logf("%d pictures, of which %d have nothing to show", len(graphs), blank)
}

// coloured is how many pixels of the canvas, which is above the legend, have one
// of the pack's colours.
func coloured(picture image.Image) (n int) {
	const canvas = 235 // a title, then 200 pixels of canvas
	rgba := image.NewRGBA(image.Rect(0, 0, picture.Bounds().Dx(), canvas))
	draw.Draw(rgba, rgba.Bounds(), picture, picture.Bounds().Min, draw.Src)
	ours := map[color.RGBA]bool{}
	for _, hex := range []string{green, blue, orange, red, grey, purple} {
		v, _ := strconv.ParseUint(hex, 16, 32)
		ours[color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}] = true
	}
	for i := 0; i < len(rgba.Pix); i += 4 {
		if ours[color.RGBA{rgba.Pix[i], rgba.Pix[i+1], rgba.Pix[i+2], 255}] {
			n++
		}
	}
	return n
}
