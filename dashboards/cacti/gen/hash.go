package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// version is the code that Cacti 1.2.19 gave its exports and that all of 1.2
// since knows: an import refuses a code newer than its own, and takes one from
// before 1.2.3 for legacy, whose limits it rewrites.
const version = "0103"

// A typ is the kind of an object of Cacti, by the code that begins its hash.
type typ string

const (
	graphTemplate  typ = "00"
	graphItem      typ = "10"
	graphInput     typ = "09"
	dataTemplate   typ = "01"
	dataItem       typ = "08"
	hostTemplateID typ = "02"
	inputMethod    typ = "03"
	inputField     typ = "07"
	dataQuery      typ = "04"
	queryGraph     typ = "11"
	graphTitle     typ = "12"
	sourceTitle    typ = "13"
	cdefID         typ = "05"
	cdefItem       typ = "14"
	gprintID       typ = "06"
)

// id is the full hash of an object of ours, from its stable name.
func id(t typ, name ...string) string {
	sum := sha256.Sum256([]byte("lvs-agent/cacti/" + string(t) + "/" + strings.Join(name, "/")))
	return stock(t, hex.EncodeToString(sum[:16]))
}

// stock is the full hash of an object that comes with Cacti.
func stock(t typ, hash string) string { return "hash_" + string(t) + version + hash }
