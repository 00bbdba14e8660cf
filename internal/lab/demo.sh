#!/bin/bash
# demo.sh TOP DIR HTTP SNMP [FLAGS...] - in the lab's kernel: a small cluster with steady
# traffic, of which a real server fails every minute, and an agent that observes it.
# See topology.sh for the network.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$1 dir=$2 http=$3 snmp=$4
shift 4
export LABNET=$top/build/labnet
# shellcheck source=topology.sh
. "$here/topology.sh"
echo director1 >/proc/sys/kernel/hostname
topo_up 4
topo_serve
ipvsadm -R <<TABLE
-A -t $VIP_NAT:80 -s wlc
-a -t $VIP_NAT:80 -r 10.2.0.11:80 -m -w 3
-a -t $VIP_NAT:80 -r 10.2.0.12:80 -m -w 2
-a -t $VIP_NAT:80 -r 10.2.0.13:80 -m -w 1
-a -t $VIP_NAT:80 -r 10.2.0.14:80 -m -w 0
-A -u $VIP_NAT:53 -s rr
-a -u $VIP_NAT:53 -r 10.2.0.11:53 -m -w 1
-a -u $VIP_NAT:53 -r 10.2.0.12:53 -m -w 1
-A -t [$VIP6_DR]:80 -s wrr
-a -t [$VIP6_DR]:80 -r [fd10:2::11]:80 -g -w 1
-a -t [$VIP6_DR]:80 -r [fd10:2::12]:80 -g -w 2
-A -t $VIP_TUN:80 -s rr -p 60
-a -t $VIP_TUN:80 -r 10.2.0.13:80 -i -w 1
-a -t $VIP_TUN:80 -r 10.2.0.14:80 -i -w 1
TABLE
cat >"$dir/agent.yml" <<NAMES
names:
  tcp/$VIP_NAT:80:
    name: web
    real_servers:
      10.2.0.11:80: web1
      10.2.0.12:80: web2
      10.2.0.13:80: web3
      10.2.0.14:80: web4
  udp/$VIP_NAT:53: dns
  tcp/[$VIP6_DR]:80: web-v6
  tcp/$VIP_TUN:80: static
NAMES
(
	while :; do
		cl "$LABNET" get -n 5 "$VIP_NAT:80"
		cl "$LABNET" get -n 3 -family udp "$VIP_NAT:53"
		cl "$LABNET" get -n 3 "[$VIP6_DR]:80"
		cl "$LABNET" get -n 1 "$VIP_TUN:80"
		sleep 1
	done
) </dev/null >/dev/null 2>&1 &
# What a health checker does about web3: no new connections, out, and in again.
(
	while sleep 30; do
		ipvsadm -e -t "$VIP_NAT:80" -r 10.2.0.13:80 -m -w 0
		sleep 15
		ipvsadm -d -t "$VIP_NAT:80" -r 10.2.0.13:80
		sleep 15
		ipvsadm -a -t "$VIP_NAT:80" -r 10.2.0.13:80 -m -w 1
	done
) </dev/null >/dev/null 2>&1 &
exec "$here/serve.sh" "$top" "$dir" "$http" "$snmp" --config.file="$dir/agent.yml" "$@"
