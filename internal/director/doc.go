// Package director runs virtual services: it brings the kernel's table to what
// the configuration wants, by a diff that touches nothing unchanged, and
// reports what others change by hand.
//
// It never takes the whole table for its own. A service belongs to it once it
// was in the configuration and was applied; all others are foreign and are left
// alone, unless the Spec says Exclusive and Enforce.
//
// Three states are compared, as a merge does: what is wanted, what the kernel
// has, and the base, which is what the director last knew the kernel to have
// taken from it. Where want and base differ, the configuration changed and the
// difference is the director's to apply. Where want and base agree but the
// kernel differs, somebody changed it by hand: that is drift, which is reported,
// and put back only with Enforce. So an operator who drains a real server with
// ipvsadm is not overridden by the next reload for another matter. The base
// belongs to one life of the kernel's table (dataplane.Director.Epoch): after a
// reboot, or after ip_vs was loaded again, everything is applied anew.
package director
