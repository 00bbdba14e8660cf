package main

// A method is one of the ways of Cacti's own to get a value.
type method struct {
	hash, name, kind string
	fields           []methodField
}

// A methodField is what a method has to be told.
type methodField struct {
	hash, name, code, data string
	optional               bool
	// perRow fields are filled in for each row by the data query.
	perRow bool
}

func (m method) id() string      { return stock(inputMethod, m.hash) }
func (f methodField) id() string { return stock(inputField, f.hash) }

// Both methods are in every Cacti. They are in the file nonetheless, as they are
// in Cacti's own exports, for the data templates to refer to.
var (
	getSNMP = method{hash: "3eb92bb845b9660a7445cf9740726522", name: "Get SNMP Data", kind: "2", fields: []methodField{
		{hash: "92f5906c8dc0f964b41f4253df582c38", name: "SNMP IP Address", code: "hostname", data: "management_ip"},
		{hash: "32285d5bf16e56c478f5e83f32cda9ef", name: "SNMP Community", code: "snmp_community", data: "snmp_community"},
		{hash: "ad14ac90641aed388139f6ba86a2e48b", name: "SNMP Username", code: "snmp_username", data: "snmp_username", optional: true},
		{hash: "9c55a74bd571b4f00a96fd4b793278c6", name: "SNMP Password", code: "snmp_password", data: "snmp_password", optional: true},
		{hash: "012ccb1d3687d3edb29c002ea66e72da", name: "SNMP Version (1, 2, or 3)", code: "snmp_version", data: "snmp_version", optional: true},
		{hash: "4276a5ec6e3fe33995129041b1909762", name: "OID", code: "snmp_oid", data: "oid"},
		{hash: "fc64b99742ec417cc424dbf8c7692d36", name: "SNMP Port", code: "snmp_port", data: "snmp_port"},
		{hash: "20832ce12f099c8e54140793a091af90", name: "SNMP Authentication Protocol (v3)", code: "snmp_auth_protocol", data: "snmp_auth_protocol"},
		{hash: "c60c9aac1e1b3555ea0620b8bbfd82cb", name: "SNMP Privacy Passphrase (v3)", code: "snmp_priv_passphrase", data: "snmp_priv_passphrase"},
		{hash: "feda162701240101bc74148415ef415a", name: "SNMP Privacy Protocol (v3)", code: "snmp_priv_protocol", data: "snmp_priv_protocol"},
	}}
	getSNMPIndexed = method{hash: "bf566c869ac6443b0c75d1c32b5a350e", name: "Get SNMP Data (Indexed)", kind: "3", fields: []methodField{
		{hash: "617cdc8a230615e59f06f361ef6e7728", name: "SNMP IP Address", code: "hostname", data: "management_ip"},
		{hash: "acb449d1451e8a2a655c2c99d31142c7", name: "SNMP Community", code: "snmp_community", data: "snmp_community"},
		{hash: "f4facc5e2ca7ebee621f09bc6d9fc792", name: "SNMP Username (v3)", code: "snmp_username", data: "snmp_username", optional: true},
		{hash: "1cc1493a6781af2c478fa4de971531cf", name: "SNMP Password (v3)", code: "snmp_password", data: "snmp_password", optional: true},
		{hash: "b5c23f246559df38662c255f4aa21d6b", name: "SNMP Version (1, 2, or 3)", code: "snmp_version", data: "snmp_version"},
		{hash: "6027a919c7c7731fbe095b6f53ab127b", name: "Index Type", code: "index_type", data: "index_type", perRow: true},
		{hash: "cbbe5c1ddfb264a6e5d509ce1c78c95f", name: "Index Value", code: "index_value", data: "index_value", perRow: true},
		{hash: "e6deda7be0f391399c5130e7c4a48b28", name: "Output Type ID", code: "output_type", data: "output_type", perRow: true},
		{hash: "c1f36ee60c3dc98945556d57f26e475b", name: "SNMP Port", code: "snmp_port", data: "snmp_port"},
		{hash: "2cf7129ad3ff819a7a7ac189bee48ce8", name: "SNMP Authentication Protocol (v3)", code: "snmp_auth_protocol", data: "snmp_auth_protocol"},
		{hash: "6b13ac0a0194e171d241d4b06f913158", name: "SNMP Privacy Passphrase (v3)", code: "snmp_priv_passphrase", data: "snmp_priv_passphrase"},
		{hash: "3a33d4fc65b8329ab2ac46a36da26b72", name: "SNMP Privacy Protocol (v3)", code: "snmp_priv_protocol", data: "snmp_priv_protocol"},
	}}
)

func (t *template) inputMethod(m method) {
	t.in(m.id(), func() {
		t.leaf("name", m.name)
		t.leaf("type_id", m.kind)
		t.leaf("input_string", "")
		t.in("fields", func() {
			for _, f := range m.fields {
				t.in(f.id(), func() {
					t.leaf("name", f.name)
					t.leaf("update_rra", "")
					t.leaf("regexp_match", "")
					t.leaf("allow_nulls", map[bool]string{true: "on"}[f.optional])
					t.leaf("type_code", f.code)
					t.leaf("input_output", "in")
					t.leaf("data_name", f.data)
				})
			}
		})
	})
}
