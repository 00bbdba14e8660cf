package agentxbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// programs are what is measured.
type programs struct {
	ours   string // our subagent and agent
	peer   string // a Net-SNMP subagent
	module string // for snmpd to load
}

// build compiles them into dir.
func build(ctx context.Context, dir string) (p programs, err error) {
	root, err := command(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return p, fmt.Errorf("find the module: %w", err)
	}
	source := filepath.Join(string(bytes.TrimSpace(root)), "internal", "bench")
	p = programs{filepath.Join(dir, "gosubagent"), filepath.Join(dir, "csubagent"), filepath.Join(dir, "lvsreal.so")}
	for _, cmd := range []*exec.Cmd{
		command(ctx, "go", "build", "-o", p.ours, filepath.Join(source, "gosubagent")),
		command(ctx, "cc", "-O2", "-o", p.peer, filepath.Join(source, "csubagent", "csubagent.c"), "-lnetsnmpagent", "-lnetsnmp"),
		command(ctx, "cc", "-O2", "-shared", "-fPIC", "-o", p.module, filepath.Join(source, "csubagent", "lvsreal.c")),
	} {
		cmd.Dir = source
		if out, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	return p, nil
}

// A master is a private snmpd.
type master struct {
	*process
	dir, addr string
}

// startMaster starts one, with more lines in its configuration, and in its
// environment, than every one has.
func startMaster(ctx context.Context, dir, more string, env ...string) (*master, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	m := &master{dir: dir, addr: addr}
	conf := filepath.Join(dir, "snmpd.conf")
	text := "rocommunity public 127.0.0.1\nmaster agentx\nagentXSocket unix:" + m.socket() + "\n" + more
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := m.command(ctx, "snmpd", "-f", "-r", "-C", "-c", conf, "-Lf", filepath.Join(dir, "log"), "-p", filepath.Join(dir, "pid"), "udp:"+m.addr)
	cmd.Env = append(cmd.Env, env...)
	m.process, err = start(cmd)
	if err != nil {
		return nil, err
	}
	err = eventually(ctx, "snmpd answers", func() error {
		_, err := os.Stat(m.socket())
		return err
	})
	if err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

// command keeps Net-SNMP's programs away from the machine's own configuration.
func (m *master) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := command(ctx, name, args...)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH="+m.dir, "SNMP_PERSISTENT_DIR="+filepath.Join(m.dir, "state"), "MIBS=")
	return cmd
}

// serve starts a subagent and waits until its table is there.
func (m *master) serve(ctx context.Context, program string, rows int) (*process, error) {
	p, err := start(m.command(ctx, program, "-x", m.socket(), strconv.Itoa(rows)))
	if err != nil {
		return nil, err
	}
	if err := m.wait(ctx, m.addr, rows); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// wait waits until the agent at addr has a table of so many rows.
func (m *master) wait(ctx context.Context, addr string, rows int) error {
	last := fmt.Sprintf("%s.1.%d.%d.%d", table, columns, (rows-1)/10+1, (rows-1)%10+1)
	return eventually(ctx, "the table is there", func() error {
		out, err := m.command(ctx, "snmpget", append(v2c, "-On", addr, last)...).CombinedOutput()
		if err == nil && !bytes.Contains(out, []byte("Gauge32")) {
			err = fmt.Errorf("%s", bytes.TrimSpace(out))
		}
		return err
	})
}

// Who asks: what every manager's tool is told.
var (
	v2c = []string{"-v2c", "-cpublic"}
	v3  = []string{"-v3", "-ulvs", "-lauthPriv", "-aSHA-256", "-Aauthentication", "-xAES", "-Xprivacy-privacy"}
)

// user gives snmpd the user of v3.
const user = "createUser lvs SHA-256 authentication AES privacy-privacy\nrouser lvs authpriv\n"

func (m *master) walk(ctx context.Context, who []string, addr string) (string, error) {
	cmd := m.command(ctx, "snmpbulkwalk", slices.Concat(who, []string{"-On", "-Cr100", addr, table})...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("snmpbulkwalk: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}

// freePort is a UDP address nobody had a moment ago.
func freePort() (string, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.LocalAddr().String(), nil
}

// A process is a child of ours.
type process struct {
	cmd *exec.Cmd
}

// command looks for programs also where an ordinary user's PATH does not. A
// context that ends asks the program to end.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath(name); errors.Is(err, exec.ErrNotFound) {
		if p, err := exec.LookPath("/usr/sbin/" + name); err == nil {
			name = p
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func start(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd}, nil
}

// stop ends the process and waits for it.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	t := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
	defer t.Stop()
	p.cmd.Wait() // how it ended does not matter
}

// eventually tries f until it succeeds, for at most half a minute.
func eventually(ctx context.Context, what string, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
