"""Checkpoints that survive being interrupted and need no trust to load."""

import os.path as osp
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmd2a.engine.atomic_io import ATOMIC_BACKEND
from mmd2a.engine.best_checkpoint import (
    adopt_best,
    check_measured,
    check_save_best,
)
from mmd2a.engine.checkpoint_loading import restrict_checkpoint_loading
from mmd2a.engine.mid_epoch import (
    add_record,
    record_of_ranks,
    steps_into_epoch,
)
from mmd2a.engine.pending_validation import (
    note_validation,
    record_validation,
    validation_is_pending,
)
from mmd2a.engine.plain_values import make_plain, restore_values
from mmd2a.files import remove_incomplete_files, write_text
from mmd2a.registry import HOOKS

#: Name of a checkpoint out of turn, with the number of iterations.
STOPPED = 'stopped_at_iter_{}.pth'


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Save checkpoints so that the latest one can always be loaded.

    MMEngine's hook with the same arguments, and four promises more:

    - A checkpoint holds plain values only, so that
      ``torch.load(path, weights_only=True)`` reads it; ``resume`` and
      ``load_from`` work under every torch.
    - A file is complete or not there. ``last_checkpoint`` names it only once
      it is on the disk, and what it replaces (``max_keep_ckpts``, the former
      best) is deleted only after that. Killed at any moment, with the disk
      full or not, training goes on from a good checkpoint with ``--resume
      auto``.
    - A resumed training ends with the files that one without interruption
      has. It validates first if that is still to be done
      (:mod:`~mmd2a.engine.pending_validation`), goes on in the middle of an
      epoch (:mod:`~mmd2a.engine.mid_epoch`), and knows one best checkpoint,
      in its own folder.
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
    _training = False
    _resumed = False
    _steps = 0  # of this epoch that are done
    _record: dict[str, Any] | None = None
    _saved_at: int | None = None

    def before_run(self, runner: Runner) -> None:
        """Take over loading before anything is loaded."""
        restrict_checkpoint_loading()

    def before_train(self, runner: Runner) -> None:
        """Clear what an interruption left behind, and make up for it.

        Raises:
            SaveBestError: ``save_best`` names a metric that there is not.
        """
        check_save_best(self, runner)
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
        self._training = True
        if not self._resumed:
            return
        adopt_best(self, runner)
        in_epoch = self._steps and isinstance(
            runner.train_loop, EpochBasedTrainLoop
        )
        if not in_epoch and validation_is_pending(runner):
            runner.logger.info(
                'The checkpoint was not validated; this is done first'
            )
            runner.val_loop.run()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Save where the config says so, within epochs too."""
        self._steps = batch_idx + 1
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save where the config says so."""
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._steps = 0
        super().after_train_epoch(runner)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float]
    ) -> None:
        """Save the best, and record that this model is validated."""
        if not self._training:  # a validation by itself saves nothing
            return
        if metrics:
            check_measured(self, metrics)
        note_validation(runner)
        super().after_val_epoch(runner, metrics)
        if is_main_process():
            record_validation(runner)

    def after_train(self, runner: Runner) -> None:
        """Publish what the config wants published."""
        super().after_train(runner)
        self._training = False

    def save_stop(self, runner: Runner, epoch: int, iteration: int) -> str:
        """Save out of turn, for a training that was told to stop.

        To be called on all ranks, between two steps. The next checkpoint in
        turn takes its place.

        Args:
            runner: the runner.
            epoch: epochs that are done.
            iteration: iterations that are done.

        Returns:
            str: file; the one in turn, if that has just been saved.
        """
        if self._saved_at == iteration and self.last_ckpt is not None:
            return self.last_ckpt
        self._take_record(runner)
        path = self.file_backend.join_path(
            self.out_dir, STOPPED.format(iteration)
        )
        runner.save_checkpoint(
            str(self.out_dir),
            STOPPED.format(iteration),
            self.file_client_args,
            meta=dict(epoch=epoch, iter=iteration),
            by_epoch=False,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_text(osp.join(runner.work_dir, 'last_checkpoint'), path)
            self._remove_stops(keep=path)
        return path

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Turn the values into plain ones, after all other hooks."""
        if self._record is not None and 'optimizer' in checkpoint:
            add_record(checkpoint, self._record)
        for reason in make_plain(checkpoint):
            runner.logger.warning(f'Left out of the checkpoint: {reason}')

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Turn plain values back into what MMEngine works with."""
        restore_values(checkpoint)
        self._resumed = runner._resume
        self._steps = steps_into_epoch(checkpoint) if self._resumed else 0

    def _take_record(self, runner: Runner) -> None:
        self._record = (
            record_of_ranks(runner, self._steps) if self._steps else None
        )

    def _remove_stops(self, keep: str | None = None) -> None:
        if self.backend_args != dict(backend=ATOMIC_BACKEND):
            return
        for path in Path(str(self.out_dir)).glob(STOPPED.format('*')):
            if str(path) != keep:
                path.unlink()

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
        self._take_record(runner)
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
        self._saved_at = meta['iter']
        if is_main_process():
            write_text(
                osp.join(runner.work_dir, 'last_checkpoint'), self.last_ckpt
            )
            self._remove_stops()
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
