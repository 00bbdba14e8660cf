//go:build lab

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// TestLabFaultConfiguration gives the agent bad files, at its start and later.
func TestLabFaultConfiguration(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	file := filepath.Join(a.dir, "agent.yml")
	a.flags = append(a.flags, "--config.file="+file)
	log := journal{a: a}
	for text, want := range map[string]string{
		"prometheus:\n  reals: sometimes\n":            file + ":2:10: ",
		"names:\n  tcp/192.0.2.10:80: a\n  nonsense\n": file + ":3:",
		"sample: {interval: 2s}\nstor: {}\n":           file + ":2:1: ",
	} {
		write(t, file, text)
		before := len(a.log())
		said := a.refused()[before:]
		if !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: said %q, want one line with %q", text, said, want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if said := a.refused(); !strings.Contains(said, file+": no such file") {
		t.Errorf("without the file: said %q", said)
	}
	log.skip()

	write(t, file, "names:\n  tcp/192.0.2.10:80: web\n")
	a.begin()
	a.ready()
	log.want(started...)
	write(t, file, "nonsense: 1\nnames:\n  tcp/192.0.2.10:80: mail\n")
	a.hangUp()
	log.want("ERROR " + file + ":1:1: ")
	if v := a.metrics("?scope=agent").sample("lvs_agent_config_last_reload_successful"); v != 0 {
		t.Errorf("lvs_agent_config_last_reload_successful is %v after a bad file", v)
	}
	if name := a.sampled().service("tcp/192.0.2.10:80").Name; name != "web" {
		t.Errorf("the service is called %q after a bad file, want web as before", name)
	}
	if _, err := a.ask(http.MethodPost, "/-/reload", ""); err == nil || !strings.Contains(err.Error(), file+":1:1: ") {
		t.Errorf("reload by HTTP: %v, want the place", err)
	}
	log.want("ERROR " + file + ":1:1: ")
	write(t, file, "names:\n  tcp/192.0.2.10:80: mail\n")
	a.hangUp()
	log.want("INFO reloaded the configuration")
	if v := a.metrics("?scope=agent").sample("lvs_agent_config_last_reload_successful"); v != 1 {
		t.Errorf("lvs_agent_config_last_reload_successful is %v after a good file", v)
	}
	if name := a.sampled().service("tcp/192.0.2.10:80").Name; name != "mail" {
		t.Errorf("the service is called %q, want mail", name)
	}
	a.terminate()
	log.want("INFO stopping")
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLabFaultTerminated ends the agent about when it reads, again and again, and
// looks for every tick that it showed.
func TestLabFaultTerminated(t *testing.T) {
	smallTable(t)
	var many strings.Builder // so that reading takes a while
	for i := range 1000 {
		fmt.Fprintf(&many, "-A -t 192.0.2.40:%d -s rr\n", i+1)
	}
	lab.RunInput(t, []byte(many.String()), "ipvsadm", "-R")
	a := unstarted(t, "--snmp.agentx=off")
	shown := map[time.Time]bool{}
	for round := range 3 {
		a.begin()
		a.ready()
		ctx, stop := context.WithCancel(context.Background())
		done, seen := make(chan struct{}), make(chan struct{}, 1)
		go func() {
			defer close(done)
			for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
				doc, err := a.ask(http.MethodGet, "/api/v1/snapshot", "")
				var tick time.Time
				if _, after, ok := bytes.Cut(doc, []byte(`"tick":"`)); err == nil && ok {
					tick, err = time.Parse(time.RFC3339, string(after[:len("2006-01-02T15:04:05Z")]))
				}
				if err == nil && !tick.IsZero() {
					shown[tick] = true
					select {
					case seen <- struct{}{}:
					default:
					}
				}
			}
		}()
		select {
		case <-seen:
		case <-time.After(lab.Patience):
			t.Fatal("no tick is shown")
		}
		second := time.Now().Truncate(time.Second).Add(2 * time.Second)
		time.Sleep(time.Until(second.Add(time.Duration(20*round) * time.Millisecond)))
		a.terminate()
		stop()
		<-done
	}
	ticks := a.ticks("tcp/192.0.2.10:80")
	for tick := range shown {
		if !slices.Contains(ticks, tick) {
			t.Errorf("tick %v was shown and is not in the history", tick)
		}
	}
	if len(shown) < 3 {
		t.Errorf("%d ticks were seen in three runs", len(shown))
	}
	t.Logf("%d ticks shown, %d stored", len(shown), len(ticks))
}

// TestLabServiceManager is the service manager: it hears of the start, signs of
// life, a reload and the end (sd_notify(3)).
func TestLabServiceManager(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	socket := filepath.Join(a.dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hear := func(want string, between ...string) {
		t.Helper()
		for b := make([]byte, 4096); ; {
			l.SetReadDeadline(time.Now().Add(lab.Patience))
			n, err := l.Read(b)
			if err != nil {
				t.Fatalf("waited in vain for %s: %v", want, err)
			}
			switch said := string(b[:n]); {
			case strings.HasPrefix(said, want):
				return
			case !slices.Contains(between, said):
				t.Errorf("told %q, want %s", said, want)
			}
		}
	}
	const alive = "WATCHDOG=1"
	a.begin("env", "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=500000")
	hear("READY=1", alive)
	if _, err := a.ask(http.MethodGet, "/-/ready", ""); err != nil {
		t.Errorf("told READY before there was a sample: %v", err)
	}
	hear(alive)
	hear(alive)
	a.hangUp()
	hear("RELOADING=1\nMONOTONIC_USEC=", alive)
	hear("READY=1", alive)
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1", alive)
	a.cmd = nil
	if err := <-a.ended; err != nil {
		t.Errorf("lvs-agent on SIGTERM: %v", err)
	}
}

// The password "secret", as bcrypt keeps it.
const secret = "$2a$04$2Q0SZd56VmpF7IOc6/tn5ObpRyIz9VIdHrP.Az6XBI0CKTSKjppjq"

// TestLabWebConfiguration asks for TLS and a password.
func TestLabWebConfiguration(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	pool := certificate(t, a.dir)
	file := filepath.Join(a.dir, "web.yml")
	write(t, file, "tls_server_config: {cert_file: missing.pem, key_file: key.pem}\n")
	a.flags = append(a.flags, "--web.config.file="+file)
	if said := a.refused(); !strings.Contains(said, "missing.pem: no such file") {
		t.Errorf("with no certificate: said %q", said)
	}
	write(t, file, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {monitor: '"+secret+"'}\n")
	log := journal{a: a}
	log.skip()
	a.launch()
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is enabled", "INFO reading the kernel's table")

	secure := http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for _, c := range []struct {
		scheme, user, password string
		status                 int
	}{
		{"https", "monitor", "secret", http.StatusOK},
		{"https", "monitor", "guess", http.StatusUnauthorized},
		{"https", "", "", http.StatusUnauthorized},
		{"http", "monitor", "secret", http.StatusBadRequest},
	} {
		req, err := http.NewRequest(http.MethodGet, c.scheme+strings.TrimPrefix(a.url, "http")+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.user != "" {
			req.SetBasicAuth(c.user, c.password)
		}
		resp, err := secure.Do(req)
		if err != nil {
			t.Errorf("%s as %q: %v", c.scheme, c.user, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s as %q with %q: %s, want %d", c.scheme, c.user, c.password, resp.Status, c.status)
		}
	}
	a.terminate()
}

// certificate writes cert.pem and key.pem for this host's loopback address, and
// returns what trusts them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	write(t, filepath.Join(dir, "cert.pem"), text)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(text))
	return pool
}
