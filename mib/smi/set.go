package smi

// An ErrorStatus is the outcome of a request (RFC 3416 §3, error-status); zero is
// success.
type ErrorStatus uint8

// The outcomes. Those marked v1 are never in an answer of a later version.
const (
	NoError             ErrorStatus = 0
	TooBig              ErrorStatus = 1
	NoSuchName          ErrorStatus = 2 // v1
	BadValue            ErrorStatus = 3 // v1
	ReadOnly            ErrorStatus = 4 // v1
	GenErr              ErrorStatus = 5
	NoAccess            ErrorStatus = 6
	WrongType           ErrorStatus = 7
	WrongLength         ErrorStatus = 8
	WrongEncoding       ErrorStatus = 9
	WrongValue          ErrorStatus = 10
	NoCreation          ErrorStatus = 11
	InconsistentValue   ErrorStatus = 12
	ResourceUnavailable ErrorStatus = 13
	CommitFailed        ErrorStatus = 14
	UndoFailed          ErrorStatus = 15
	AuthorizationError  ErrorStatus = 16
	NotWritable         ErrorStatus = 17
	InconsistentName    ErrorStatus = 18
)

// A Setter takes what managers write. Its methods are safe for concurrent use
// and answer from memory.
type Setter interface {
	// Test reports whether Set would take v for the variable called name: NoError,
	// or why not (NotWritable, NoCreation, WrongType, WrongLength, WrongValue).
	Test(name OID, v Value) ErrorStatus
	// Set writes a variable that Test has passed; trees handed out afterwards show
	// it.
	Set(name OID, v Value)
}
