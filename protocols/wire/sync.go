package wire

import "github.com/hypernode/hypernode/internal/compact"

// Sync tells what the sender holds and does, and acknowledges what it knows of the receiver.
type Sync struct {
	Fork         uint64
	Length       uint64 // blocks
	RemoteLength uint64 // the receiver's length as last seen, 0 when the forks differ
	CanUpgrade   bool   // the sender can prove the way from the receiver's length to its own
	Uploading    bool   // the sender answers requests
	Downloading  bool   // the sender wants to go on; when neither side does, the channel closes
	HasManifest  bool   // the sender can give the manifest
	AllowPush    bool   // the sender takes data that it did not ask for
}

const (
	syncCanUpgrade  = 1
	syncUploading   = 2
	syncDownloading = 4
	syncHasManifest = 8
	syncAllowPush   = 16
)

// Append appends the wire form of m: flags | fork | length | remote length.
func (m Sync) Append(b []byte) []byte {
	b = compact.AppendUint(b, flag(m.CanUpgrade, syncCanUpgrade)|flag(m.Uploading, syncUploading)|
		flag(m.Downloading, syncDownloading)|flag(m.HasManifest, syncHasManifest)|flag(m.AllowPush, syncAllowPush))
	b = compact.AppendUint(b, m.Fork)
	b = compact.AppendUint(b, m.Length)
	return compact.AppendUint(b, m.RemoteLength)
}

// DecodeSync reads what [Sync.Append] writes.
func DecodeSync(b []byte) (Sync, error) {
	d := compact.NewDecoder(b)
	flags := d.Uint()
	m := Sync{
		Fork: d.Uint(), Length: d.Uint(), RemoteLength: d.Uint(),
		CanUpgrade: flags&syncCanUpgrade != 0, Uploading: flags&syncUploading != 0, Downloading: flags&syncDownloading != 0,
		HasManifest: flags&syncHasManifest != 0, AllowPush: flags&syncAllowPush != 0,
	}
	return m, finish(TypeSync, d)
}
