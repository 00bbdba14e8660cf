// Package usm is the User-based Security Model of SNMPv3 for an authoritative
// engine, an agent: it tells who sent a request and that nobody changed it, read
// it or sent it again, and protects the answer in the same way. It knows
// messages, not what they ask for. Sources: RFC 3414 (the model), RFC 3411 §5
// (engine IDs), RFC 3826 (AES), RFC 7860 (HMAC with SHA-2).
//
// [Boot] counts a start of the agent and [New] makes its [Engine] with a table of
// users. Then, for each datagram that [ber.V3] decodes:
//
//	p, scoped, err := engine.Incoming(datagram, &m)
//	if err != nil {
//		if engine.Report(b, &m, maxSize, err) {
//			send(b.Bytes()) // limited: anybody can ask for these
//		}
//		return
//	}
//	// … decode scoped, check its engine ID and context, for a write
//	// engine.First(p), make the answer's PDU in b …
//	b.PrependScope(engine.ID(), contextName)
//	engine.Seal(b, m.ID, maxSize, p)
//	send(b.Bytes())
//
// What an engine does not do: MD5 and DES, which are broken; the message
// processing of RFC 3412 (msgMaxSize, contexts); access control; the part of a
// manager.
package usm
