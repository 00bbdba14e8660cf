// Package ber reads and writes the messages of SNMPv1, v2c and v3 in the Basic
// Encoding Rules, as SNMP restricts them: definite lengths and tags of one
// octet. It holds no policy: who may ask what, and which answer is due, is for
// the packages above. Sources: RFC 3417 §8 (the rules), RFC 1157 §4 and RFC 3416
// §3 (PDUs), RFC 1901 §3 (v2c), RFC 3412 §6 (v3), RFC 2578 §7.1 (types).
//
// Nothing is allocated once a caller's buffers have grown: what is read points
// into the datagram, and what is written goes into one [Builder].
//
// # Reading
//
// [VersionOf] tells which of [Message] (v1, v2c) and [V3] decodes a datagram.
// Both leave their Data, where the PDU is, unread, so that a message can be
// authenticated before any more of it is looked at. [PDU.Decode] reads the Data
// of a Message, [Scoped.Decode] that of a V3 in plain text.
//
// # The contract with a security model of v3
//
// V3.Params are the contents of msgSecurityParameters and ParamsOffset says where
// in the datagram they begin. What a Reader of them calls Offset plus
// ParamsOffset is therefore the place in the datagram of an authentication
// digest, which is over the whole datagram with the digest's own octets zero.
// V3.Data is the whole scopedPDU (from its SEQUENCE tag on) where the privacy flag
// is clear, and the encrypted octets (without the OCTET STRING's header) where it is
// set; DataOffset says where in the datagram it begins.
//
// # Writing
//
// A [Builder] grows at both ends, because BER puts the length of everything in
// front of it: variables are appended, then headers put before them, from the
// inside out.
//
//	b.Reset(headroom)
//	b.AppendVarBind(…)                       // as many as fit
//	b.PrependPDU(type, id, status, index)
//	b.PrependScope(engineID, contextName)    // v3: now b.Bytes() is the scopedPDU,
//	… encrypt b.Bytes() in place, b.Wrap(ber.OctetString)
//	body := b.Len()
//	b.PrependOctets(…), b.PrependInt(…), …   // the security parameters, last first;
//	fromEnd := b.Len()                       // where a digest is, counted from the end
//	b.WrapFront(ber.Sequence, body)
//	b.WrapFront(ber.OctetString, body)
//	b.PrependV3(id, maxSize, flags, model)   // the message is whole
//
// A place noted as the length so far lies that many octets before the end of
// b.Bytes(), whatever is put before it.
package ber
