package config

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/collector/snmp"

	"github.com/google/go-cmp/cmp"
)

// The fleet's reference file is valid, is understood, and gives every key.
func TestFleetReferenceShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("fleet.yml")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	same := strings.NewReplacer("auths.site", "auths.NAME", "auths.secure", "auths.NAME", "auth_password", "password")
	d := &decoder{file: "fleet.yml", trace: func(path string, is bool) {
		path = same.Replace(anyElement(path))
		given[path] = given[path] || is
	}}
	got := NoFleet()
	d.fleet(d.document(text), got)
	if err := d.err(); err != nil {
		t.Fatal(err)
	}
	for path, is := range given {
		if !is {
			t.Errorf("fleet.yml does not show %s", path)
		}
	}
	if len(given) < 27 {
		t.Errorf("only %d keys were seen: %v", len(given), given)
	}
	want := &Fleet{
		Listen: []string{":10588"}, Interval: 10 * time.Second, Timeout: 2 * time.Second, Retries: 2,
		Store: Store{Path: "/var/lib/lvs-exporter", Retention: 30 * 24 * time.Hour, Tiers: "1m:7d,5m:31d,1h:2y", MaxSize: 1 << 30},
		Prometheus: Prometheus{Reals: "auto", RealsLimit: 2000, Compat: "node-ipvs",
			BackendLabels: []string{"local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark"}},
		Auths: map[string]snmp.Auth{
			DefaultAuth: {Version: 2, Community: "public"}, "site": {Version: 2, Community: "change me"},
			"secure": {Version: 3, Username: "prometheus", SecurityLevel: "authPriv", AuthProtocol: "SHA256", AuthPassword: "change me please",
				PrivProtocol: "AES", PrivPassword: "and me as well"},
		},
		Directors: []FleetDirector{
			{Name: "lvs1", Target: "lvs1.example.net", Auth: "secure", Module: snmp.Director, Interval: 30 * time.Second},
			{Name: "lvs2.example.net:1161", Target: "lvs2.example.net:1161", Auth: "site", Module: snmp.LVS, Interval: 10 * time.Second},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEmptyFleetIsValid(t *testing.T) {
	for _, text := range []string{"", "---\n", "directors:\nauths:\nstore:\n", "directors: []\n"} {
		c, err := ParseFleet(strings.NewReader(text), "fleet.yml")
		if diff := cmp.Diff(NoFleet(), c); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

// Directors may come before the auths they name, and the interval before or
// after.
func TestFleetOrderOfKeysIsFree(t *testing.T) {
	c, err := ParseFleet(strings.NewReader("directors: [{target: a, auth: x}]\ninterval: 1m\nauths: {x: {version: 1, community: c}}\n"), "fleet.yml")
	if err != nil || c.Directors[0].Interval != time.Minute || c.Auths["x"].Version != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestFleetErrorsTellWhere(t *testing.T) {
	for text, want := range map[string]string{
		"directors: [{name: a}]":                            "fleet.yml:1:13: directors[0].target: missing; want HOST or HOST:PORT",
		"directors: [{target: a b}]":                        `fleet.yml:1:22: directors[0].target: "a b"; want HOST or HOST:PORT`,
		"directors: [{target: a, auth: x}]":                 `fleet.yml:1:31: directors[0].auth: "x" is not among auths; there are public_v2`,
		"directors:\n- target: a\n- name: a\n  target: b\n": `fleet.yml:3:3: directors[1].name: "a" is the name of another director`,
		"directors: [{target: a, name: ../a}]":              `fleet.yml:1:31: directors[0].name: "../a"; want a name of letters, digits and . _ - : that begins with a letter or digit`,
		"directors: [{target: a, module: all}]":             `fleet.yml:1:33: directors[0].module: module "all"; want lvs or director`,
		"interval: 90m":                                     `fleet.yml:1:11: interval: "90m"; want a duration of whole seconds from 1s to 1h, as 90s, 15m or 1h30m`,
		"retries: 11":                                       "fleet.yml:1:10: retries: 11; want a whole number from 0 to 10",
		"listen: [10588]":                                   `fleet.yml:1:10: listen[0]: "10588"; want ADDRESS:PORT, as :10588 or "[::1]:10588"`,
		"auths:\n  a: {version: 3}\n":                       "fleet.yml:2:3: auths.a: username of 0 bytes; want 1 to 32 (RFC 3414 §5)",
		"auths:\n  a: {version: 4}\n":                       "fleet.yml:2:16: auths.a.version: 4; want a whole number from 1 to 3",
		"auths:\n  a: {secret: x}\n":                        `fleet.yml:2:7: auths.a: unknown key "secret"; want auth_password, auth_protocol, community, password, priv_password, priv_protocol, security_level, username or version`,
		"targets: []":                                       `fleet.yml:1:1: unknown key "targets"; want auths, directors, interval, listen, prometheus, retries, store or timeout`,
	} {
		_, err := ParseFleet(strings.NewReader(text), "fleet.yml")
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
		var errs Errors
		if !errors.As(err, &errs) || slices.ContainsFunc(errs, func(e Error) bool { return e.Line == 0 }) {
			t.Errorf("%q: %#v has no place", text, err)
		}
	}
}

func TestNoRetriesIsNone(t *testing.T) {
	c, err := ParseFleet(strings.NewReader("retries: 0"), "fleet.yml")
	if err != nil || c.Retries != -1 {
		t.Errorf("%+v, %v", c, err)
	}
}
