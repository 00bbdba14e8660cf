package agent

import (
	"context"
	"os"
	"strings"
	"time"

	"lvs/collector/prom"
)

// reloadOn reloads at each signal and each request until ctx ends, one after the
// other.
func (a *agent) reloadOn(ctx context.Context, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = a.reload(ctx) // logs and counts its error
		case outcome := <-a.reloads:
			outcome <- a.reload(ctx)
		}
	}
}

// reload reads the configuration file again and takes it over, as a whole or,
// where anything in it is wrong, not at all.
func (a *agent) reload(ctx context.Context) error {
	notifyReloading(a.log)
	defer tellSystemd(a.log, "READY=1")
	next, err := settle(a.flags)
	var show *prom.Exposition
	if err == nil {
		show, err = a.show(next)
	}
	if err == nil {
		err = a.snmp.setAccess(&next.file.SNMP)
	}
	if err == nil {
		err = a.sampler.SetInterval(next.interval)
	}
	a.mu.Lock()
	a.reloadErr = err
	if err == nil {
		a.loadedAt = time.Now()
	}
	a.mu.Unlock()
	if err != nil {
		a.log.Error("the configuration was not reloaded, nothing was changed", "err", err)
		return err
	}
	if fixed := a.settings.needsRestart(next); len(fixed) > 0 {
		a.log.Warn("some changed settings take a restart", "settings", strings.Join(fixed, ", "))
	}
	if a.ledger != nil {
		a.ledger.SetStep(next.interval)
	}
	a.exposition.Store(show)
	a.sampler.SetNames(names(next))
	a.snmp.refresh() // of the interval
	if a.director != nil && next.file.Director != nil {
		a.director.set(ctx, next.file.Director)
	}
	a.log.Info("reloaded the configuration", "file", a.flags.configFile)
	return nil
}
