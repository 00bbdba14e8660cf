package agentx

import "fmt"

// A DecodeError says where and why bytes are not a PDU.
type DecodeError struct {
	Type   Type   // what the header says; 0 where it was not read so far
	Offset int    // from the header's first byte
	Reason string // what is wrong there
}

// Error names the PDU, the offset and the reason.
func (e *DecodeError) Error() string {
	if e.Type == 0 {
		return fmt.Sprintf("agentx: header, offset %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("agentx: %v PDU, offset %d: %s", e.Type, e.Offset, e.Reason)
}
