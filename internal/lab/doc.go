// Package lab gives tests the machines they need: a kernel with ip_vs (the
// script uml next to this file boots one, as an ordinary process), a small LVS
// site of network namespaces with real traffic in it, and a private snmpd and
// snmptrapd on loopback ports. Only tests import it.
//
// [SNMPD] and [SNMPTrapD] work on any host. Everything that configures a kernel asks for
// [Guest] first and fails outside of it, so that no test ever touches the
// host's own tables; such tests carry the build tag lab and run by
//
//	CGO_ENABLED=0 go test -tags lab -exec "$PWD/internal/lab/uml --timeout 300 --" -run '^TestLab' ./PACKAGE
//
// Each package's tests get a guest of their own, and everything in it ends with
// it. Helpers report through their [testing.TB]: they return only if all went
// well.
package lab
