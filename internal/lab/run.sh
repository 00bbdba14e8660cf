#!/bin/bash
# run.sh - see the agent at work (make run).
#
# Where this machine's kernel has ip_vs, the agent observes it, and never writes
# to it. Elsewhere it runs in the lab's kernel, on a small cluster with steady
# traffic. Either way everything listens on loopback and is gone after Ctrl-C.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
http=127.0.0.1:${HTTP_PORT:-10587} snmp=127.0.0.1:${SNMP_PORT:-16161} box=127.0.0.1:${BOX_PORT:-16162}
dir=$(mktemp -d --suffix=.lvs-run) || exit 1
pids=()
cleanup() {
	trap - EXIT
	trap '' INT TERM HUP # make passes on what the terminal has sent to all already
	[ ${#pids[@]} = 0 ] || { kill "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'cleanup; exit 0' INT TERM HUP

curl -s -m 2 -o "$dir/other" "http://$http/"
if [ $? != 7 ]; then # 7: nobody listens there
	echo "something else answers on http://$http; try again with HTTP_PORT=... (and SNMP_PORT=..., BOX_PORT=...)" >&2
	exit 1
fi
if [ -e /proc/net/ip_vs ]; then
	echo "This machine's kernel has ip_vs: observing it (reading only)."
	[ "$(id -u)" = 0 ] || echo "Without root it does not tell packets and bytes of services: sudo make run shows those too."
	"$here/serve.sh" "$top" "$dir" "$http" "$snmp" --snmp.listen="$box" &
	pids+=($!)
	store="--store $dir/store" story=
else
	echo "This machine's kernel has no ip_vs: starting the lab's kernel with a small cluster."
	# The guest writes its store below $dir as well, so history is readable here.
	"$here/uml" --timeout 0 --forward "tcp:$http" --forward "udp:$snmp" --forward "udp:$box" -- \
		"$here/demo.sh" "$top" "$dir" "$http" "$snmp" --snmp.listen="$box" &
	pids+=($!)
	store="--store $dir/store" story="Real server web3 fails every minute: it is drained, taken out of the table, and put back.
"
fi

for ((i = 0; i < 600; i++)); do
	curl -fs -m 1 -o "$dir/ready" "http://$http/-/ready" 2>/dev/null && break
	kill -0 "${pids[0]}" 2>/dev/null || { echo "it ended early; what it printed is above" >&2; exit 1; }
	sleep 0.2
done
[ -e "$dir/ready" ] || { echo "no answer on http://$http after two minutes" >&2; exit 1; }

cat <<TEXT

lvs-agent is up. In another terminal, here:

  the status page      http://$http/
  metrics              curl -s http://$http/metrics
  services alone       curl -s 'http://$http/metrics?scope=services'
  the sample as JSON   curl -s http://$http/api/v1/snapshot
  SNMP, through snmpd  snmpwalk -v2c -c public $snmp .1.3.6.1.4.1.8225
  and without one      snmpwalk -v2c -c public $box .1.3.6.1.4.1.8225
  with names           snmptable -v2c -c public -OU -Ci -M build/mibs:mib -m LVS-DIRECTOR-MIB $box lvsdServiceTable
  the history          build/lvs-exporter fetch $store --start -5m --end now -o csv
  as rates             build/lvs-exporter fetch $store --start -5m --resolution 10s -o csv
  as a picture         build/lvs-exporter graph $store --start -5m -o web.svg tcp/10.1.0.100:80

${story}Counters move every two seconds: that is how often the kernel brings them up to
date. Ctrl-C ends it all.
TEXT
wait "${pids[0]}"
