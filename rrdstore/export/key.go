package export

import (
	"fmt"
	"net/netip"
	"strings"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// directorKey is the text of the director as a series.
const directorKey = "director"

// SeriesKey is the text of a series: "director" for the zero key, otherwise the
// service's canonical text and, of a real server, a comma and its RIP.
func SeriesKey(key dataplane.ServiceKey, rip netip.AddrPort) string {
	switch {
	case key == (dataplane.ServiceKey{}):
		return directorKey
	case rip == (netip.AddrPort{}):
		return key.String()
	}
	return key.String() + "," + rip.String()
}

// ParseSeriesKey is the inverse of SeriesKey.
func ParseSeriesKey(s string) (key dataplane.ServiceKey, rip netip.AddrPort, err error) {
	if s == directorKey {
		return key, rip, nil
	}
	service, real, isReal := strings.Cut(s, ",")
	if key, err = dataplane.ParseServiceKey(service); err != nil {
		return dataplane.ServiceKey{}, rip, fmt.Errorf("%w; a key is tcp/192.0.2.10:443, tcp/192.0.2.10:443,10.0.0.1:80 or director", err)
	}
	if isReal {
		if rip, err = dataplane.ParseRIP(real); err != nil {
			return dataplane.ServiceKey{}, rip, fmt.Errorf("real server: %w", err)
		}
	}
	return key, rip, nil
}

// An identity is what a series is of. It is comparable.
type identity struct {
	key dataplane.ServiceKey
	rip netip.AddrPort
}

func identityOf(s *rrdstore.Series) identity { return identity{s.Key, s.RIP} }

// serviceText and realText are the columns service and real.
func serviceText(s *rrdstore.Series) string { return SeriesKey(s.Key, netip.AddrPort{}) }

func realText(s *rrdstore.Series) string {
	if s.RIP == (netip.AddrPort{}) {
		return ""
	}
	return s.RIP.String()
}

// texts keeps what is written of series again and again.
type texts map[*rrdstore.Series]string

// maxTexts is how many of them are kept.
const maxTexts = 1 << 16

// of is the text of s, which is made the first time.
func (t *texts) of(s *rrdstore.Series, text func() string) string {
	known, ok := (*t)[s]
	if !ok {
		if *t == nil || len(*t) >= maxTexts {
			*t = texts{}
		}
		known = text()
		(*t)[s] = known
	}
	return known
}
