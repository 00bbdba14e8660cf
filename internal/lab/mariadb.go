package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Database is a private MariaDB server: data, log and socket are its own, and
// it has no network. Nothing it writes is meant to outlive a crash. It ends with
// the test; the end of its log is shown if the test failed.
type Database struct {
	// Socket is the path where clients connect, as root and without a password.
	Socket string

	t    testing.TB
	dir  string
	proc *process
}

// MariaDB starts a server with no database of its own in it and returns when it
// answers.
func MariaDB(t testing.TB) *Database {
	t.Helper()
	lookPath(t, "mariadbd", "mariadb-server-core")
	lookPath(t, "mariadb-install-db", "mariadb-server-core")
	lookPath(t, "mariadb", "mariadb-client-core")
	dir, err := os.MkdirTemp("", "mariadb") // a socket's path has to be short
	if err != nil {
		t.Fatal("lab: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &Database{Socket: filepath.Join(dir, "socket"), t: t, dir: dir}
	me, err := user.Current()
	if err != nil {
		t.Fatal("lab: ", err)
	}
	data := "--datadir=" + filepath.Join(dir, "data")
	Run(t, path("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--force" /* without a host name that resolves, too */, data, "--user="+me.Username)
	cmd := exec.Command(path("mariadbd"), "--no-defaults", data, "--user="+me.Username, "--socket="+d.Socket, "--skip-networking",
		"--pid-file="+filepath.Join(dir, "pid"), "--log-error="+filepath.Join(dir, "error.log"), "--skip-log-bin", "--innodb-buffer-pool-size=64M",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci")
	if d.proc, err = startProcess(cmd); err != nil {
		t.Fatal("lab: ", err)
	}
	t.Cleanup(d.end)
	deadline := time.Now().Add(daemonPatience)
	for {
		if _, err := d.client("", "SELECT 1"); err == nil {
			return d
		}
		select {
		case <-d.proc.done:
			t.Fatalf("lab: mariadbd ended at once: %v", d.proc.err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("lab: mariadbd does not answer")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Query runs statements in a database (none, if that is empty) and returns the
// rows of their results, each with its columns as text. NULL is "NULL".
func (d *Database) Query(database, statements string) [][]string {
	d.t.Helper()
	out, err := d.client(database, statements)
	if err != nil {
		d.t.Fatal("lab: ", err)
	}
	var rows [][]string
	for line := range strings.Lines(out) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

func (d *Database) client(database, statements string) (string, error) {
	cmd := exec.Command(path("mariadb"), "--no-defaults", "--socket="+d.Socket, "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", database)
	if database == "" {
		cmd.Args = cmd.Args[:len(cmd.Args)-1]
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(statements), &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("mariadb: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), err
}

func (d *Database) end() {
	d.proc.kill()
	if d.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(d.dir, "error.log"))
		d.t.Logf("mariadbd's log ends:\n%s", log[max(0, len(log)-2000):])
	}
}
