package config

import (
	"fmt"
	"strings"

	"lvs/rrdstore"
)

// Tiers are the resolutions at which history is kept, as text: "1m:7d,1h:2y". It
// is comparable; the empty Tiers are none given.
type Tiers string

// ParseTiers reads a list of steps and how long rows of each are kept, as in
// "1m:7d, 5m:31d, 1h:2y"; "off" is rows as they came alone.
func ParseTiers(s string) (Tiers, error) {
	t := Tiers(strings.ReplaceAll(s, " ", ""))
	tiers, err := t.parse()
	if err == nil {
		err = rrdstore.CheckTiers(tiers)
	}
	if err != nil {
		return "", fmt.Errorf("%q: %w; want STEP:KEEP, rising, as 1m:7d,5m:31d,1h:2y", clip(s), err)
	}
	return t, nil
}

// List is the tiers that t, which came from ParseTiers, stands for; the empty
// Tiers are the default ones.
func (t Tiers) List() []rrdstore.Tier {
	if t == "" {
		return rrdstore.DefaultTiers()
	}
	tiers, _ := t.parse()
	return tiers
}

func (t Tiers) parse() ([]rrdstore.Tier, error) {
	tiers := []rrdstore.Tier{}
	if t == "off" {
		return tiers, nil
	}
	for part := range strings.SplitSeq(string(t), ",") {
		step, keep, both := strings.Cut(part, ":")
		s, stepOK := parseDuration(step)
		k, keepOK := parseDuration(keep)
		if !both || !stepOK || !keepOK {
			return nil, fmt.Errorf("%q is no tier", clip(part))
		}
		tiers = append(tiers, rrdstore.Tier{Step: s, Keep: k})
	}
	return tiers, nil
}
