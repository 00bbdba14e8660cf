package agent_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/agent"
	"lvs/mib/smi"
)

// An agent with nothing but its system group, asked by a manager on the same
// machine.
func Example() {
	a, err := agent.New(agent.Config{
		Listen: []string{"127.0.0.1:0"}, // ":161" where it may
		Roots:  []smi.OID{smi.MustParseOID("1.3.6.1.4.1.8225.4711")},
		System: agent.System{Descr: "a director", Location: "rack 7"},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { a.Run(ctx) }) // … a.Swap(tree) whenever there is a new one
	defer wg.Wait()
	defer stop()

	manager := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: a.Addrs()[0].Port(), Version: gosnmp.Version2c, Community: "public", Timeout: 10 * time.Second}
	if err := manager.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Conn.Close()
	got, err := manager.Get([]string{"1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.6.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range got.Variables {
		fmt.Printf("%s = %s\n", v.Name, v.Value)
	}
	// Output:
	// .1.3.6.1.2.1.1.1.0 = a director
	// .1.3.6.1.2.1.1.6.0 = rack 7
}
