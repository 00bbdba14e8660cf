//go:build lab

package e2e

// sceneFile is the configuration of the agent that dashboards are tried on: it runs
// one service, whose real servers have unequal weights, and tells a manager what
// happens.
const sceneFile = `services:
  - name: web
    address: tcp/10.1.0.100:7500
    scheduler: wlc
    real_server_defaults: {method: masquerade, port: 7}
    real_servers:
      - {name: web1, address: 10.2.0.11, weight: 4}
      - {name: web2, address: 10.2.0.12, weight: 3}
      - {name: web3, address: 10.2.0.13, weight: 2, upper_threshold: 40, lower_threshold: 30}
      - {name: web4, address: 10.2.0.14, weight: 1}
      - {name: web5, address: "10.2.0.14:9", weight: 0}
sync: {master: {interface: back, syncid: 7}}
names:
  udp/10.1.0.100:5300: dns
  tcp/10.1.0.101:7:
    name: routed
    real_servers: {"10.2.0.11:7": r1, "10.2.0.12:7": r2}
  tcp/10.1.0.102:7: tunnelled
  tcp/10.1.0.100:7504: flapping
snmp:
  listen: ["%s"]
  communities: [{name: %s}]
  notifications:
    managers: [{address: "%s", community: %s}]
`

// sceneTable is what others have put into the table: services of every kind. Those
// at the end have no real server that serves.
const sceneTable = `-A -u 10.1.0.100:5300 -s rr
-a -u 10.1.0.100:5300 -r 10.2.0.11:53 -m
-a -u 10.1.0.100:5300 -r 10.2.0.12:53 -m
-a -u 10.1.0.100:5300 -r 10.2.0.13:53 -m
-A --sctp-service 10.1.0.100:133 -s rr
-a --sctp-service 10.1.0.100:133 -r 10.2.0.11:132 -m
-a --sctp-service 10.1.0.100:133 -r 10.2.0.12:132 -m
-A -f 1 -s wlc
-a -f 1 -r 10.2.0.11:0 -m -w 2
-a -f 1 -r 10.2.0.12:0 -m -w 3
-A -t [fd10:1::100]:7500 -s wrr
-a -t [fd10:1::100]:7500 -r [fd10:2::11]:7 -m -w 1
-a -t [fd10:1::100]:7500 -r [fd10:2::12]:7 -m -w 2
-A -t 10.1.0.101:7 -s rr
-a -t 10.1.0.101:7 -r 10.2.0.11:7 -g
-a -t 10.1.0.101:7 -r 10.2.0.12:7 -g
-A -t [fd10:1::101]:7 -s wrr
-a -t [fd10:1::101]:7 -r [fd10:2::11]:7 -g -w 1
-a -t [fd10:1::101]:7 -r [fd10:2::12]:7 -g -w 2
-A -t 10.1.0.102:7 -s rr
-a -t 10.1.0.102:7 -r 10.2.0.13:7 -i
-a -t 10.1.0.102:7 -r 10.2.0.14:7 -i
-A -t 10.1.0.100:7501 -s rr -p 5
-a -t 10.1.0.100:7501 -r 10.2.0.11:7 -m
-A -u 10.1.0.100:5301 -s rr -o
-a -u 10.1.0.100:5301 -r 10.2.0.11:53 -m
-a -u 10.1.0.100:5301 -r 10.2.0.12:53 -m
-A -t 10.1.0.101:8080 -s rr
-a -t 10.1.0.101:8080 -r 10.2.0.11:8080 -g
-a -t 10.1.0.101:8080 -r 10.2.0.12:8080 -m
-A -t 10.1.0.100:7504 -s rr
-a -t 10.1.0.100:7504 -r 10.2.0.14:7 -m
-A -t 10.1.0.100:7502 -s rr
-a -t 10.1.0.100:7502 -r 10.2.0.11:7 -m -w 0
-A -t 10.1.0.100:7503 -s rr
`

// Services whose replies pass the director by, and one of which some do.
var (
	sceneBypassed = []string{"routed", "tcp/[fd10:1::101]:7", "tunnelled"}
	sceneMixed    = "tcp/10.1.0.101:8080"
)

// The jobs of Prometheus: the agent, and an exporter that reads it as one of a fleet.
const (
	agentJob = "lvs"
	fleetJob = "fleet"
)

// fleetFile is that exporter's configuration.
const fleetFile = `interval: 1s
directors: [{name: lab, target: "%s", auth: public_v2}]
`
