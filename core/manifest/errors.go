package manifest

import "errors"

var (
	// ErrInvalid is wrapped by every refusal of a manifest, whether it was read or is to be made.
	ErrInvalid = errors.New("invalid manifest")

	// ErrVersion tells that a manifest is of a version that is not known. It wraps ErrInvalid.
	ErrVersion error = &invalid{"unknown version"}

	// ErrSigner tells that a signer has no usable key: none, or one of small order. It wraps ErrInvalid.
	ErrSigner error = &invalid{"signer without a usable public key"}

	// ErrPatchVersion tells that a version 0 manifest with one signer is to allow patches. Other implementations sign
	// such a core in one way and check it in another, so nobody could read it. It wraps ErrInvalid.
	ErrPatchVersion error = &invalid{"version 0 with one signer cannot allow patches"}

	// ErrKey tells that a manifest is not that of the key.
	ErrKey = errors.New("manifest does not belong to the key")

	// ErrSignature tells that a tree is not signed as the manifest asks, or is not the prologue where that is due.
	ErrSignature = errors.New("tree is not signed by the core's signers")

	// ErrNotSigner tells that a key pair is none of the manifest's signers.
	ErrNotSigner = errors.New("key pair is no signer of the core")

	// ErrQuorum tells that one signature, or the parts at hand, are not enough for the quorum.
	ErrQuorum = errors.New("not enough signatures for the quorum")
)

// invalid is a reason to refuse a manifest.
type invalid struct{ reason string }

func (e *invalid) Error() string { return "invalid manifest: " + e.reason }

func (e *invalid) Is(target error) bool { return target == ErrInvalid }
