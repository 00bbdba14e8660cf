package lab

import (
	"os/exec"
	"runtime"
	"syscall"
)

// A process is a child that is waited for from its first moment, so that its
// number is never somebody else's while we hold it. On Linux it does not outlive
// the test binary even where that is killed.
type process struct {
	pid  int
	done chan struct{} // closed when it ended
	err  error         // how it ended; read after done
	cmd  *exec.Cmd
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{done: make(chan struct{}), cmd: cmd}
	started := make(chan error)
	go func() {
		// The kernel sends the parent's-death signal when the starting thread
		// ends: it has to be there as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		dieWithParent(cmd)
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// kill ends the process, also a stopped one, and waits for it.
func (p *process) kill() {
	p.cmd.Process.Kill() // an error says that it has ended
	<-p.done
}
