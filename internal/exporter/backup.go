package exporter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"lvs/rrdstore"
)

const backupHelp = `Copy a store, also while the agent writes it.

The copy is a store as of one time, with every tick that was on the disk before; cp would not make one. DEST is a directory that is made or empty. An agent can be started on it, and every command here takes it for --store.

Examples:
  lvs-exporter backup /var/backups/lvs
  lvs-exporter backup "/var/backups/lvs-$(date +%F)" && tar -czf lvs.tar.gz -C /var/backups "lvs-$(date +%F)"`

// A backup is the command backup.
type backup struct {
	*program
	dest string
}

func addBackup(p *program, app *kingpin.Application) {
	b := &backup{program: p}
	cmd := p.command(app, "backup", backupHelp, b.run)
	cmd.Arg("DEST", "Where the copy goes.").Required().StringVar(&b.dest)
}

func (b *backup) run(ctx context.Context) error {
	line := b.progress("backing up")
	err := rrdstore.Backup(ctx, b.dir, b.dest, func(done, total int64) { line.tell(int(done), int(total)) })
	line.end()
	if err != nil {
		return err
	}
	for _, name := range storeFiles {
		info, err := os.Stat(filepath.Join(b.dest, name))
		if err != nil {
			continue // a store may have no archive yet
		}
		fmt.Fprintf(b.stdout, "%s: %d bytes\n", filepath.Join(b.dest, name), info.Size())
	}
	return nil
}
