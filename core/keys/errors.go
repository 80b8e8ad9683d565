package keys

import "errors"

var (
	// ErrKeyText tells that a text is not the text form of a key.
	ErrKeyText = errors.New("not a key: want 52 characters of lower-case z-base-32 or 64 of hexadecimal, alone or after pear://")
	// ErrZ32 tells that a text is not z-base-32.
	ErrZ32 = errors.New("not z-base-32")
	// ErrKeyLength tells that a secret key does not have 64 bytes.
	ErrKeyLength = errors.New("secret key must have 64 bytes")
	// ErrKeyHalves tells that the public half of a secret key does not belong to its seed half.
	ErrKeyHalves = errors.New("the halves of the secret key do not belong together")
	// ErrBox tells that a sealed box was not made for this pair, or was changed on the way.
	ErrBox = errors.New("sealed box does not open with this key")
	// ErrBoxKey tells that a public key is not fit to seal for: everybody could open the box.
	ErrBoxKey = errors.New("public key of small order")
)
