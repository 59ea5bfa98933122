"""Checkpoints that survive being interrupted and need no trust to load."""

import os.path as osp
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmd2a.engine.atomic_io import ATOMIC_BACKEND
from mmd2a.engine.checkpoint_loading import restrict_checkpoint_loading
from mmd2a.engine.plain_values import make_plain, restore_values
from mmd2a.files import remove_incomplete_files, write_text
from mmd2a.registry import HOOKS


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Save checkpoints so that the latest one can always be loaded.

    MMEngine's hook with the same arguments, and three promises more:

    - A checkpoint holds plain values only, so that
      ``torch.load(path, weights_only=True)`` reads it; ``resume`` and
      ``load_from`` work under every torch.
    - A file is complete or not there. ``last_checkpoint`` names it only once
      it is on the disk, and what it replaces (``max_keep_ckpts``, the former
      best) is deleted only after that. Killed at any moment, with the disk
      full or not, training goes on from a good checkpoint with ``--resume
      auto``.
    - Checkpoints made by others are read without running what is in them
      (:mod:`mmd2a.engine.checkpoint_loading`).

    Atomic writing is for local folders; a remote ``out_dir`` or explicit
    ``backend_args`` keep MMEngine's way of writing, in the same safe order.

    Args:
        **kwargs: as :class:`mmengine.hooks.CheckpointHook`.

    Example:
        >>> hook = AtomicCheckpointHook(interval=1, max_keep_ckpts=2)
        >>> isinstance(hook, CheckpointHook)
        True
    """

    file_backend: Any

    def before_run(self, runner: Runner) -> None:
        """Take over loading before anything is loaded."""
        restrict_checkpoint_loading()

    def before_train(self, runner: Runner) -> None:
        """Choose how to write and clear what an interruption left behind."""
        folder = runner.work_dir if self.out_dir is None else self.out_dir
        if self._writes_locally(str(folder)):
            self.backend_args = dict(backend=ATOMIC_BACKEND)
        super().before_train(runner)
        if is_main_process():
            for place in {str(self.out_dir), runner.work_dir}:
                for name in remove_incomplete_files(place):
                    runner.logger.info(
                        f'Removed {name}, left in {place} by an interrupted '
                        'save'
                    )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Turn the values into plain ones, after all other hooks."""
        for reason in make_plain(checkpoint):
            runner.logger.warning(f'Left out of the checkpoint: {reason}')

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Turn plain values back into what MMEngine works with."""
        restore_values(checkpoint)

    def _writes_locally(self, folder: str) -> bool:
        return (
            self.file_client_args is None
            and '://' not in folder
            and self.backend_args in (None, dict(backend='local'))
        )

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        outdated = self._keep(runner, step)
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_text(
                osp.join(runner.work_dir, 'last_checkpoint'), self.last_ckpt
            )
            if outdated is not None:
                self._remove(outdated)

    def _keep(self, runner: Runner, step: int) -> str | None:
        """Note a checkpoint to be made; return the one that it replaces."""
        if self.max_keep_ckpts <= 0 or step in self.keep_ckpt_ids:
            return None
        replaced = (
            self.keep_ckpt_ids[0]
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts
            else None
        )
        self.keep_ckpt_ids.append(step)
        kept = list(self.keep_ckpt_ids)
        if replaced is None:
            runner.message_hub.update_info('keep_ckpt_ids', kept)
            return None
        # Recorded with the one to go: if the deletion is interrupted, the
        # resumed run finds a list too long and deletes it then.
        runner.message_hub.update_info('keep_ckpt_ids', [replaced, *kept])
        return self.file_backend.join_path(
            self.out_dir, self.filename_tmpl.format(replaced)
        )

    def _save_best_checkpoint(
        self, runner: Runner, metrics: dict[str, Any]
    ) -> None:
        backend = self.file_backend
        self.file_backend = _RemovesLater(backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            postponed = self.file_backend.postponed
            self.file_backend = backend
        for path in postponed:
            if path not in self._best_paths():
                self._remove(path)

    def _best_paths(self) -> list[str | None]:
        if not self.save_best:
            return []
        if len(self.key_indicators) == 1:
            return [self.best_ckpt_path]
        return list(self.best_ckpt_path_dict.values())

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)


class _RemovesLater:
    """A file backend that notes what it should delete, for afterwards."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.postponed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.postponed.append(path)

    def rmtree(self, path: str) -> None:
        self.postponed.append(path)
