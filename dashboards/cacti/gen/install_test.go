package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A cacti is a private Cacti: Debian's program in a tree of the test's own, with
// its own configuration, database, log and RRD files. It has no web server; what
// an operator does in the browser is done by the programs in cli/.
type cacti struct {
	t   *testing.T
	dir string // base of its tree: the programs are in cli/ and site/
	db  *lab.Database
	env []string
}

// debianCacti is where Debian's package is.
const debianCacti = "/usr/share/cacti"

func installCacti(t *testing.T) *cacti {
	t.Helper()
	for file, pkg := range map[string]string{debianCacti + "/site/poller.php": "cacti", "/usr/bin/php": "php-cli", "/usr/bin/rrdtool": "rrdtool", "/usr/bin/snmpwalk": "snmp"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%s is not installed: apt-get install %s", file, pkg)
		}
	}
	base := t.TempDir()
	c := &cacti{t: t, dir: filepath.Join(base, "cacti"), db: lab.MariaDB(t)}
	lab.Run(t, "cp", "-a", debianCacti, c.dir)
	// The package reaches what it shares with others by relative links.
	for _, shared := range []string{"php", "javascript", "nodejs"} {
		c.must(os.Symlink("/usr/share/"+shared, filepath.Join(base, shared)))
	}
	for _, own := range []string{"cache", "rra", "log", "include/config.php"} {
		c.must(os.RemoveAll(c.path("site", own)))
	}
	for _, own := range []string{"cache/boost", "cache/mibcache", "cache/realtime", "cache/spikekill", "rra", "log"} {
		c.must(os.MkdirAll(c.path("site", own), 0o755))
	}
	c.must(os.WriteFile(c.path("site/include/config.php"), []byte(`<?php
$database_type = 'mysql'; $database_hostname = 'localhost'; $database_port = '3306'; $database_default = 'cacti';
$database_username = 'root'; $database_password = ''; $database_ssl = false; $database_retries = 2;
$poller_id = 1; $url_path = '/cacti/';
`), 0o644))
	ini := filepath.Join(base, "ini")
	c.must(os.Mkdir(ini, 0o755))
	c.must(os.WriteFile(filepath.Join(ini, "test.ini"), []byte("pdo_mysql.default_socket = "+c.db.Socket+"\nmemory_limit = 1G\ndate.timezone = UTC\n"), 0o644))
	c.env = append(os.Environ(), "PHP_INI_SCAN_DIR=:"+ini, "TZ=UTC", "MIBS=", "LC_ALL=C.UTF-8") // behind the compiled-in directory
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("cacti.log ends:\n%s", c.log(40))
		}
	})
	c.setUp()
	return c
}

// setUp fills the database as the installer would. A poll every second, at most,
// is what the RRD files are for; the poller runs once when it is started.
func (c *cacti) setUp() {
	c.t.Helper()
	c.db.Query("", "CREATE DATABASE cacti")
	schema, err := os.ReadFile(filepath.Join(debianCacti, "conf_templates/cacti.sql"))
	c.must(err)
	c.db.Query("cacti", string(schema))
	release, err := os.ReadFile(c.path("site/include/cacti_version"))
	c.must(err)
	var settings []string
	for name, value := range map[string]string{
		"path_php_binary": "/usr/bin/php", "path_rrdtool": "/usr/bin/rrdtool", "rrdtool_version": "1.7.2",
		"path_snmpget": "/usr/bin/snmpget", "path_snmpwalk": "/usr/bin/snmpwalk", "path_snmpgetnext": "/usr/bin/snmpgetnext",
		"path_snmpbulkwalk": "/usr/bin/snmpbulkwalk", "path_cactilog": c.path("site/log/cacti.log"), "log_verbosity": "2",
		"poller_enabled": "on", "poller_interval": "60", "cron_interval": "60", "snmp_version": "2",
	} {
		settings = append(settings, fmt.Sprintf("('%s','%s')", name, value))
	}
	c.sql("UPDATE version SET cacti = '" + strings.TrimSpace(string(release)) + "'")
	c.sql("REPLACE INTO settings (name, value) VALUES " + strings.Join(settings, ","))
	c.sql("UPDATE data_source_profiles SET `default` = ''")
	c.sql("INSERT INTO data_source_profiles (id, hash, name, step, heartbeat, x_files_factor, `default`) VALUES (9, MD5('a second'), 'A second', 1, 600, 0.5, 'on')")
	c.sql("INSERT INTO data_source_profiles_cf SELECT 9, consolidation_function_id FROM data_source_profiles_cf WHERE data_source_profile_id = 1")
	c.sql("INSERT INTO data_source_profiles_rra (data_source_profile_id, name, steps, `rows`, timespan) VALUES (9, 'Seconds', 1, 1200, 1200)")
	// Out of the box Cacti looks for devices in 192.168.1.0/24.
	c.sql("DELETE FROM automation_networks")
	c.sql("DELETE FROM host")
	if n := c.sql("SELECT COUNT(*) FROM automation_networks WHERE enabled = 'on'")[0][0]; n != "0" {
		c.t.Fatalf("Cacti would scan %s networks", n)
	}
}

func (c *cacti) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cacti) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

// sql is Query in Cacti's database.
func (c *cacti) sql(statement string) [][]string {
	c.t.Helper()
	return c.db.Query("cacti", statement)
}

// php runs one of Cacti's programs, named from the base of its tree or in full,
// and returns what it prints.
func (c *cacti) php(program string, args ...string) string {
	c.t.Helper()
	if !filepath.IsAbs(program) {
		program = c.path(program)
	}
	return c.run(10*time.Minute, "php", append([]string{"-q", program}, args...)...)
}

// run is php for any program.
func (c *cacti) run(limit time.Duration, program string, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	// Cacti lifts PHP's own limit of memory.
	cmd := exec.CommandContext(ctx, "prlimit", append([]string{"--as=3221225472", program}, args...)...)
	cmd.Env, cmd.Dir = c.env, c.path("site")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the poller starts programs
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // what it started may hold its output open
	out, err := cmd.CombinedOutput()
	c.outlive(cmd)
	if err != nil || regexp.MustCompile(`(?m)^(ERROR|FATAL|PHP )`).Match(out) {
		c.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// outlive waits until what a program left running has ended, too, and ends it
// when that takes long: the poller starts programs and does not wait for them.
func (c *cacti) outlive(cmd *exec.Cmd) {
	if cmd.Process == nil {
		return
	}
	group := -cmd.Process.Pid
	for range 1200 {
		if syscall.Kill(group, 0) != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // it may just have ended
}

// log is the end of Cacti's own log, without what it has to say of itself: that
// it was not written for this PHP, and is not polled as often as it might be.
func (c *cacti) log(n int) string {
	b, _ := os.ReadFile(c.path("site/log/cacti.log"))
	var lines []string
	for line := range strings.Lines(string(b)) {
		if !ofItself.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

var ofItself = regexp.MustCompile(`PHP DEPRECATED|PHP ERROR Backtrace|Change your Poller Interval|Primary Admin|AUTOM8 NOTE|STATS: `)

// install does what the README tells an operator to do with the pack, and returns
// what the import says of every object.
func (c *cacti) install() (report string) {
	c.t.Helper()
	xml, err := filepath.Glob("../" + queries + "/*.xml")
	c.must(err)
	for _, file := range xml {
		lab.Run(c.t, "install", "-m644", file, c.path(queries))
	}
	for _, p := range packs() {
		out := c.php("cli/import_template.php", "--filename="+absolute(c.t, filepath.Join("..", p.file)))
		if strings.Contains(out, "[fail]") || strings.Contains(out, "unmet") || strings.Contains(out, "missing") {
			c.t.Errorf("import of %s:\n%s", p.file, out)
		}
		report += out
	}
	return report
}

// number is the id of an object that the pack made.
func (c *cacti) number(table, hash string) string {
	c.t.Helper()
	rows := c.sql("SELECT id FROM " + table + " WHERE hash = '" + hash[len(hash)-32:] + "'")
	if len(rows) != 1 {
		c.t.Fatalf("%d objects in %s have the hash %s", len(rows), table, hash)
	}
	return rows[0][0]
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
