package exporter

import (
	"strings"
)

// spanFlags take times, which may begin with a minus.
var spanFlags = map[string]bool{"--start": true, "--end": true, "-s": true, "-e": true}

// joinArgs rewrites what kingpin would misread: "--start -24h", whose span it
// would take for flags, and "--top 10 by in_bytes".
func joinArgs(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		rest := args[i+1:]
		switch {
		case a == "--":
			return append(joined, args[i:]...)
		case spanFlags[a] && len(rest) > 0 && strings.HasPrefix(rest[0], "-"):
			i++
			a = long(a) + "=" + rest[0]
		case a == "--top" && len(rest) > 0:
			i++
			a += "=" + rest[0]
		}
		if n, by, ok := strings.Cut(a, " by "); ok && strings.HasPrefix(a, "--top=") { // quoted as one
			joined = append(joined, n, "--by="+by)
			continue
		}
		joined = append(joined, a)
		if strings.HasPrefix(a, "--top=") && i+2 < len(args) && args[i+1] == "by" {
			joined = append(joined, "--by="+args[i+2])
			i += 2
		}
	}
	return joined
}

func long(flag string) string {
	switch flag {
	case "-s":
		return "--start"
	case "-e":
		return "--end"
	}
	return flag
}
