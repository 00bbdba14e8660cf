package director

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"lvs/dataplane"
)

// stateVersion is that of the file; another one is not read.
const stateVersion = 1

// A stateFile is the base and the drains, as JSON.
type stateFile struct {
	Version  int                    `json:"version"`
	Epoch    string                 `json:"epoch"`
	Services []stateService         `json:"services"`
	Timeouts dataplane.Timeouts     `json:"timeouts"`
	Daemons  []dataplane.SyncDaemon `json:"daemons"`
	Drains   []Drain                `json:"drains"`
}

type stateService struct {
	Key               dataplane.ServiceKey   `json:"key"`
	Scheduler         string                 `json:"scheduler"`
	Flags             dataplane.ServiceFlags `json:"flags"`
	Timeout           time.Duration          `json:"timeout"`
	NetmaskFamily     dataplane.Family       `json:"netmask_family"`
	Netmask           uint32                 `json:"netmask"`
	PersistenceEngine string                 `json:"persistence_engine"`
	Quiesce           Quiesce                `json:"quiesce"`
	Reals             []dataplane.RealServer `json:"reals"`
}

// save writes the state where it differs from what was written last: whole, to
// a new file that takes the old one's name.
func (a *Applier) save() error {
	if a.state == "" {
		return nil
	}
	text, err := json.Marshal(a.snapshotState())
	if err != nil || bytes.Equal(text, a.saved) {
		return err
	}
	if err := writeFile(a.state, append(text, '\n')); err != nil {
		return err
	}
	a.saved = text
	return nil
}

func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// snapshotState is the state in a fixed order.
func (a *Applier) snapshotState() *stateFile {
	s := &stateFile{Version: stateVersion, Epoch: a.base.epoch, Timeouts: a.base.timeouts}
	spec := Spec{}
	for _, k := range a.base.services {
		w := Service{Service: k.Service, Quiesce: k.quiesce}
		for _, r := range k.reals {
			w.Reals = append(w.Reals, r)
		}
		spec.Services = append(spec.Services, w)
	}
	for _, w := range spec.sorted().Services {
		s.Services = append(s.Services, stateService{
			w.Key, w.Scheduler, w.Flags, w.Timeout, w.Netmask.Family(), w.Netmask.Uint32(), w.PersistenceEngine, w.Quiesce, w.Reals,
		})
	}
	for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
		if d, ok := a.base.daemons[role]; ok {
			s.Daemons = append(s.Daemons, d)
		}
	}
	for _, d := range a.drains {
		d.Connections = 0 // not worth a write each time
		s.Drains = append(s.Drains, d)
	}
	sortDrains(s.Drains)
	return s
}

// load reads the state file, if there is one. On an error the state is as
// without.
func (a *Applier) load() error {
	if a.state == "" {
		return nil
	}
	text, err := os.ReadFile(a.state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var s stateFile
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: %w", a.state, err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("%s: version %d, want %d", a.state, s.Version, stateVersion)
	}
	a.base = s.base()
	for _, d := range s.Drains {
		a.drains[object{service: d.Service, rip: d.Real}] = d
	}
	return nil
}

func (s *stateFile) base() *base {
	b := newBase(s.Epoch)
	b.timeouts = s.Timeouts
	for _, d := range s.Daemons {
		b.daemons[d.Role] = d
	}
	for _, w := range s.Services {
		k := &baseService{quiesce: w.Quiesce, reals: map[netip.AddrPort]dataplane.RealServer{}}
		k.Service = dataplane.Service{
			Key: w.Key, Scheduler: w.Scheduler, Flags: w.Flags, Timeout: w.Timeout, PersistenceEngine: w.PersistenceEngine,
		}
		switch w.NetmaskFamily {
		case dataplane.INET:
			k.Netmask = dataplane.Mask4(w.Netmask)
		case dataplane.INET6:
			k.Netmask = dataplane.Mask6(w.Netmask)
		}
		for _, r := range w.Reals {
			k.reals[r.RIP] = r
		}
		b.services[w.Key] = k
	}
	return b
}
