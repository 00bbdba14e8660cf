package main

// packs are all template files.
func packs() []pack {
	return []pack{{
		file: "cacti_host_template_lvs_director.xml", host: "lvs_director", title: "LVS Director",
		queries: []query{directorServices(), directorRealServers(), directorHosts(), lvsServices(), lvsRealServers()},
		loose:   directorGraphs(),
	}}
}
