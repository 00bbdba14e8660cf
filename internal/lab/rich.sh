#!/bin/bash
# rich.sh - the rich configuration on the site of topology.sh: every scheduler,
# method, protocol, flag and kind of address IPVS has, with traffic through them.
# It is what fixtures/rich was taken from. Run it inside uml:
#
#   rich.sh up             the site with four servers, and their programs
#   rich.sh load           the table of fixtures/rich/S-n.txt, counters at zero
#   rich.sh hold           two connections that stay open (TCP 8001 and 8004)
#   rich.sh traffic [N]    N connections or datagrams to each service (default 6)
#
# Besides topology.sh's VIPs: .120 for all ports; .103 gets mark 1, .104 mark 3
# and, in IPv6, .103 mark 2. Without traffic stay TCP 10.1.0.102:81, port 8030
# (no real servers), 8031 (weight 0 only) and mark 2147483647.

RICH_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=topology.sh
. "$RICH_HERE/topology.sh"
[ -x "$TOPO_LABNET" ] || topo_die "no labnet at '$TOPO_LABNET': build it and set LABNET"

rich_up() {
	local i
	topo_up 4
	topo_serve
	{
		for i in 103 104 120; do echo "addr add 10.1.0.$i/32 dev front"; done
		for i in 103 120; do echo "addr add fd10:1::$i/128 dev front nodad"; done
	} | ip -batch - || topo_die "cannot add addresses"
	# Marks by tc, which comes with iproute2: before netfilter, so before ip_vs.
	{
		echo qdisc add dev front clsact
		echo filter add dev front ingress protocol ip pref 1 flower dst_ip 10.1.0.103 action skbedit mark 1
		echo filter add dev front ingress protocol ip pref 1 flower dst_ip 10.1.0.104 action skbedit mark 3
		echo filter add dev front ingress protocol ipv6 pref 2 flower dst_ip fd10:1::103 action skbedit mark 2
	} | tc -batch - || topo_die "cannot mark packets"
	# What one labnet cannot serve: a second HTTP port, UDP and SCTP over IPv6.
	rich_serve 3 -http :8080
	for i in 1 2; do rich_serve $i -udp "[$(rs6 $i)]:53" -sctp "[$(rs6 $i)]:132"; done
	topo_wait "$(rs4 3)" 8080 || topo_die "no second server on rs3: $(cat /run/rs3-more.log)"
}

rich_serve() { # NUMBER LABNET-OPTIONS
	local i=$1
	shift
	rs "$i" "$TOPO_LABNET" serve -name "rs$i" "$@" </dev/null >"/run/rs$i-more.log" 2>&1 &
}

rich_load() {
	ipvsadm -C && ipvsadm -R <"$RICH_HERE/fixtures/rich/S-n.txt" && ipvsadm -Z
}

rich_hold() {
	local p
	for p in 8001 8004; do
		cl "$TOPO_LABNET" get -family tcp -hold 12h "10.1.0.100:$p" </dev/null >/dev/null 2>&1 &
	done
}

# rich_traffic [N]: all from one shell in the client's namespace; forks are dear.
# Fails if an answer is missing, but for one-packet scheduling in NAT, whose
# answers are not translated back and so never arrive.
rich_traffic() {
	# shellcheck disable=SC2016
	cl env LABNET="$TOPO_LABNET" N="${1:-6}" bash -c '
		failed=0
		ask() {
			local out
			out=$("$LABNET" get -n "$N" "$@" 2>&1) && return
			echo "get $*: $out" >&2
			failed=1
		}
		for p in {8001..8013} {8020..8026}; do ask -family tcp "10.1.0.100:$p"; done
		for a in 10.1.0.100:80 10.1.0.100:443 10.1.0.100:444 10.1.0.101:80 10.1.0.102:80 10.1.0.120:80 \
			"[fd10:1::100]:80" "[fd10:1::100]:443" "[fd10:1::101]:80" "[fd10:1::102]:80" "[fd10:1::120]:80" \
			10.1.0.103:80 10.1.0.104:80 "[fd10:1::103]:80"; do
			ask "$a"
		done
		for a in 10.1.0.100:53 "[fd10:1::100]:53"; do
			"$LABNET" get -n "$N" -family udp -timeout 20ms "$a" >/dev/null
		done
		ask -family udp 10.1.0.100:54
		ask -family udp -send "OPTIONS sip:lab SIP/2.0\r\nCall-ID: one@lab\r\n\r\n" 10.1.0.100:5060
		ask -family sctp -src 10.1.0.2 10.1.0.100:132
		ask -family sctp -src fd10:1::2 "[fd10:1::100]:132"
		exit $failed'
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	case ${1:-} in
	up) rich_up ;;
	load) rich_load ;;
	hold) rich_hold ;;
	traffic) rich_traffic "${2:-}" ;;
	*) echo "usage: rich.sh up | load | hold | traffic [N]   (inside uml)" >&2; exit 2 ;;
	esac
fi
