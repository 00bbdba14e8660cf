package rrdbench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A daemon is a private rrdcached and a connection to it. Its protocol is in
// rrdcached(1).
type daemon struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	conn net.Conn
	in   *bufio.Reader
}

// startDaemon runs rrdcached over the files of dir. It writes when it is told to,
// and keeps a journal meanwhile, as Debian runs it.
func startDaemon(ctx context.Context, dir string) (*daemon, error) {
	path, err := find("rrdcached")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	// The path of a socket is short; the directory's may not be.
	private, err := os.MkdirTemp("", "rrdbench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private) // the connection stays
	socket, journal := filepath.Join(private, "socket"), filepath.Join(dir, "journal")
	if err := os.MkdirAll(journal, 0o700); err != nil {
		return nil, err
	}
	const never = "1000000" // seconds
	d := &daemon{cmd: exec.Command(path, "-g", "-l", "unix:"+socket, "-b", dir, "-p", filepath.Join(dir, "pid"), "-j", journal,
		"-w", never, "-f", never)}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	for wait := 0; ; wait++ {
		if d.conn, err = net.Dial("unix", socket); err == nil {
			d.in = bufio.NewReader(d.conn)
			return d, nil
		}
		if wait == 500 || ctx.Err() != nil {
			d.stop()
			return nil, fmt.Errorf("rrdbench: rrdcached does not answer: %w\n%s", err, d.log.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop ends the daemon and waits for it.
func (d *daemon) stop() {
	if d.conn != nil {
		d.conn.Close()
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	t := time.AfterFunc(30*time.Second, func() { d.cmd.Process.Kill() })
	defer t.Stop()
	d.cmd.Wait() // how it ended does not matter
}

// batch sends commands, one a line, that have no answers of their own.
func (d *daemon) batch(commands []byte) error {
	if _, err := d.ask("BATCH"); err != nil {
		return err
	}
	if _, err := d.conn.Write(commands); err != nil {
		return err
	}
	answer, err := d.ask(".")
	if err == nil && len(answer) > 0 {
		err = fmt.Errorf("rrdbench: rrdcached refused %d updates: %s", len(answer), answer[0])
	}
	return err
}

// ask sends one command. The first line of an answer tells how many follow, which
// are returned; less than none is an error.
func (d *daemon) ask(command string) ([]string, error) {
	if _, err := fmt.Fprintln(d.conn, command); err != nil {
		return nil, err
	}
	first, err := d.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	number, _, _ := strings.Cut(first, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("rrdbench: rrdcached answers %q to %s", strings.TrimSpace(first), command)
	}
	var lines []string
	for range n {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, nil
}

// flush makes the daemon write all it has and waits until so many updates are in
// the files.
func (d *daemon) flush(ctx context.Context, updates int64) error {
	if _, err := d.ask("FLUSHALL"); err != nil {
		return err
	}
	for {
		lines, err := d.ask("STATS")
		if err != nil {
			return err
		}
		written := int64(-1)
		for _, l := range lines {
			if v, ok := strings.CutPrefix(l, "DataSetsWritten: "); ok {
				if written, err = strconv.ParseInt(v, 10, 64); err != nil {
					return err
				}
			}
		}
		if written >= updates {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("rrdbench: rrdcached wrote %d of %d updates: %w", written, updates, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
