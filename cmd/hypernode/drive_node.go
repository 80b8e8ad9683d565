package main

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node/api"
)

// mirrorThrough does what "drive import" and "drive export" do with a drive of the node that runs. done tells whether one runs.
func (a *app) mirrorThrough(ctx context.Context, p place, folder string, in bool, f *mirrorFlags) (done bool, err error) {
	if len(f.peers) > 0 {
		return false, nil
	}
	client := a.runningNode(ctx)
	if client == nil {
		return false, nil
	}
	defer client.Close()
	e, err := a.encryption(f.keyFile)
	switch {
	case err != nil:
		return true, err
	case !e.IsZero() || f.mounts:
		return true, fail(exitLocked, `stop it first with "hypernode node stop"`,
			"%s: a node has the store open, and mirrors neither encrypted drives nor mounts for others", p)
	case in && p.version > 0:
		return true, fail(exitUsage, "", "%s: only the newest version can be changed", p)
	}
	k, err := a.keyThrough(ctx, client, p.reference, in && !f.dryRun)
	if code, _ := judge(err); in && f.dryRun && p.name != "" && code == exitNotFound {
		return true, a.foreseeNew(ctx, p, folder, f)
	}
	if err != nil {
		return true, noNode(err)
	}
	files := client.Files(k, p.version)
	o, err := f.options(a, folder)
	if err != nil {
		return true, err
	}
	from, to := mirror.Kept(files, folderOf(p)), mirror.Dir(folder)
	if in {
		from, to, o.Times = to, from, true
	}
	stats, err := mirror.Sync(ctx, from, to, o)
	if err != nil && !errors.Is(err, mirror.ErrPartial) {
		return true, placed(p, ofDrive(err))
	}
	version, verr := client.Version(ctx, k)
	if p.version > 0 {
		version = p.version
	}
	return true, errors.Join(a.mirrorDone(k, version, stats, err), noNode(verr))
}

// keyThrough asks the node for the key of a drive. A name that is new makes a drive.
func (a *app) keyThrough(ctx context.Context, c *api.Client, r reference, create bool) (keys.Key, error) {
	if r.name == "" {
		return r.key, nil
	}
	k, err := c.Named(ctx, r.name, create)
	var answer *api.Error
	if errors.As(err, &answer) && answer.Code == api.CodeNotFound {
		err = fail(exitNotFound, `make a drive with "hypernode drive create NAME"`, "opening %s: the store has no such drive", r)
	}
	return k, err
}
