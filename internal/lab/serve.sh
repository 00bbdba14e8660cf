#!/bin/bash
# serve.sh TOP DIR HTTP SNMP [FLAGS...] - an agent, and a private snmpd that it
# joins, both on loopback with all their files below DIR. Ends when one does.
set -u
top=$1 dir=$2 http=$3 snmp=$4
shift 4
PATH=$PATH:/usr/sbin
cat >"$dir/snmpd.conf" <<CONF
agentAddress udp:$snmp
rocommunity public 127.0.0.1
master agentx
agentXSocket unix:$dir/agentx
sysDescr LVS director
CONF
mkdir -p "$dir/snmp"
pids=()
trap 'trap - EXIT; kill "${pids[@]}" 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM
SNMP_PERSISTENT_DIR=$dir/snmp SNMPCONFPATH=$dir MIBS='' snmpd -f -Lf "$dir/snmpd.log" -C -c "$dir/snmpd.conf" -p "$dir/snmpd.pid" &
pids+=($!)
"$top/build/lvs-agent" run --web.listen-address="$http" --snmp.agentx="unix:$dir/agentx" \
	--store.path="$dir/store" --sample.interval=2s "$@" &
pids+=($!)
wait -n
kill -0 "${pids[0]}" 2>/dev/null || { echo "snmpd ended:" && cat "$dir/snmpd.log"; } >&2
