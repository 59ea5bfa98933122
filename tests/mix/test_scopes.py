"""Every component builds by its name from every package of the ecosystem.

Run as a script, this file makes a process per package that imports that
package, builds what it is told to, and reports what failed.
"""

import importlib
import importlib.util
import json
import multiprocessing
import os
import subprocess
import sys

import pytest

SCOPES = ('mmengine', 'mmpose', 'mmdet', 'mmpretrain', 'mmhuman3d')
RAN = 'ran: '


def arguments(folder: str) -> dict[str, dict[str, dict]]:
    """The least arguments of every component, by registry and name."""
    branch = dict(type='mmd2a.DepthBranch', in_channels=3)
    tokens = dict(in_channels=128, embed_dims=32)
    people = dict(
        data_root=folder,
        num_people=1,
        shard_size=1,
        image_size=48,
        num_workers=1,
    )
    dataset = dict(type='mmd2a.SyntheticPeople', **people)
    small_mesh = dict(in_channels=32, num_coarse_vertices=54)
    return dict(
        DATASETS=dict(
            BodyDataset=dict(lazy_init=True),
            CocoBodyDataset=dict(ann_file='people.json', lazy_init=True),
            HumanDataDataset=dict(ann_file='people.npz', lazy_init=True),
            SyntheticPeople=people,
            mmhuman3d_dataset=dict(dataset=dataset),
        ),
        FUNCTIONS=dict(init_worker=None, mmhuman3d_collate=None),
        HOOKS=dict(
            AtomicCheckpointHook={},
            EpochSeedHook={},
            MeshVisualizationHook={},
            NonFiniteGuardHook={},
            ResumeHook={},
        ),
        METRICS=dict(
            CalibrationMetric={},
            Keypoints2DMetric={},
            MMHuman3DMetric=dict(dataset=dataset),
            MeshMetric={},
            SequenceMetric={},
            ViewMetric={},
        ),
        MODELS=dict(
            AuxiliarySilhouetteHead=dict(head=branch, patch_embedding=tokens),
            BodyDataPreprocessor={},
            BodyFitter={},
            CoarseMeshHead=small_mesh,
            D2ABodyModelEstimator=dict(
                backbone=None,
                neck=None,
                head=dict(type='mmhuman3d.HMRHead', feat_dim=8),
            ),
            D2AHMR=dict(
                backbone=branch,
                patch_embedding=dict(type='mmd2a.PatchEmbedding', **tokens),
                encoder=dict(type='mmd2a.DepthCrossAttentionEncoder', depth=1),
                head=dict(type='mmd2a.CoarseMeshHead', **small_mesh),
            ),
            DepthBranch={},
            DepthSeed={},
            DepthCrossAttentionBlock=dict(embed_dims=32),
            DepthCrossAttentionEncoder=dict(embed_dims=32, depth=1),
            DepthCrossAttentionNeck=dict(in_channels=8, depth=1),
            FeatureField=dict(in_channels=8),
            FeatureFieldNeck=dict(in_channels=8),
            ImaginedViews=dict(in_channels=8),
            MeshObjective=dict(),
            MeshRefiner=dict(coarse_ids=None),
            HybridPositionalEncoding=dict(embed_dims=32, grid_size=(2, 2)),
            ImpHMR=dict(
                backbone=branch,
                patch_embedding=dict(type='mmd2a.PatchEmbedding', **tokens),
                field=dict(type='mmd2a.FeatureField', depth=2, skip=None),
                head=dict(type='mmd2a.SMPLHead', num_coarse_vertices=54),
                objective=dict(type='mmd2a.MeshObjective'),
            ),
            JointLocalizer=dict(in_channels=[8]),
            JointLoss={},
            KeypointRLELoss={},
            LearnableGatedFusion=dict(channels=8),
            MMHuman3DEstimator=dict(
                architecture=dict(type='ImageBodyModelEstimator')
            ),
            MMHuman3DMeshEstimator=dict(
                architecture=dict(
                    type='ImageBodyModelEstimator',
                    backbone=branch,
                    head=dict(type='mmhuman3d.HMRHead', feat_dim=128),
                )
            ),
            MultiHeadAttention=dict(embed_dims=8),
            PatchEmbedding=tokens,
            RGBDBackbone=dict(
                backbone=branch, depth_branch=dict(type='mmd2a.DepthBranch')
            ),
            RGBDDataPreprocessor=dict(image=dict(type='ImgDataPreprocessor')),
            RLEFlowHead=dict(in_channels=8, num_points=4),
            RLELoss={},
            RealNVP={},
            SMPLBodyModel={},
            SMPLHead=small_mesh,
            SilhouetteDecoder=dict(in_channels=8, skip_channels=4),
            SilhouetteLoss={},
            TokenMasking=dict(embed_dims=8),
            UniformYaw={},
            VertexLoss={},
            ViewConsistency={},
            ViewDecoder=dict(in_channels=8),
            VolumeRenderer={},
        ),
        MODEL_WRAPPERS=dict(MMHuman3DDistributed=dict(module=None)),
        OPTIM_WRAPPERS=dict(CPUAmpOptimWrapper=dict(optimizer=None)),
        OPTIM_WRAPPER_CONSTRUCTORS=dict(
            PerModuleOptimWrapperConstructor=dict(optim_wrapper_cfg={})
        ),
        RUNNERS=dict(MMHuman3DRunner=None),
        TRANSFORMS=dict(
            DegradeDepth={},
            DegradeImage={},
            DisplaceLabels={},
            FacingLabel={},
            LoadDepthForMMHuman3D={},
            LoadFrame={},
            NormalizeRGBD={},
            PackBodySample={},
            PersonCrop=dict(size=32),
            PersonToInstance={},
            PersonToKeypoints={},
            PhotometricJitter={},
            RandomOcclusion={},
            StackDepth={},
            WarpMaskForMMHuman3D={},
        ),
        VISUALIZERS=dict(MeshVisualizer=dict(name='scopes')),
    )


def registered() -> dict[str, dict[str, object]]:
    """What this package registers, by registry and name."""
    registries = importlib.import_module('mmd2a.registry')
    found = {}
    for name in registries.__all__:
        registry = getattr(registries, name)
        registry.import_from_location()
        # Others, such as tests in the same process, may register here too.
        own = {
            key: module
            for key, module in registry.module_dict.items()
            if module.__module__.startswith('mmd2a.')
        }
        if own:
            found[name] = own
    return found


def test_every_component_is_in_the_table():
    table = {
        registry: set(entries) for registry, entries in arguments('').items()
    }
    assert table == {
        registry: set(modules) for registry, modules in registered().items()
    }, (
        'a component was added, renamed or removed: give it its least '
        'arguments in `arguments`, here'
    )


@pytest.fixture(scope='module')
def reports(tmp_path_factory):
    """How many components were built from each scope, and which failed."""
    folder = tmp_path_factory.mktemp('scopes')
    scopes = [scope for scope in SCOPES if importlib.util.find_spec(scope)]
    names = [
        (registry, name)
        for registry, modules in registered().items()
        for name, module in modules.items()
        if 'mmhuman3d' in scopes
        or 'interop.mmhuman3d' not in module.__module__
    ]
    done = subprocess.run(
        [sys.executable, __file__, str(folder), json.dumps([scopes, names])],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=folder,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    lines = [
        line.removeprefix(RAN)
        for line in done.stdout.splitlines()
        if line.startswith(RAN)
    ]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return len(names), json.loads(lines[-1])


@pytest.mark.parametrize('scope', SCOPES)
def test_every_component_builds_from_this_scope(scope, reports):
    count, report = reports
    if scope not in report:
        pytest.skip(f'{scope} is not installed')
    assert report[scope] == dict(components=count, failures={})


def build_all(scope: str, folder: str, names: list[list[str]]) -> dict:
    """Build from MMEngine's registry and from the scope's own."""
    # MMEngine finds mmd2a by itself. The others are imported after it, as
    # without compiled operators their own models import only then.
    if scope != 'mmengine':
        importlib.import_module('mmd2a')
    assert not any(
        name in sys.modules
        for name in ('mmd2a.registry', *set(SCOPES) - {'mmengine'})
    )
    importlib.import_module(scope)
    import torch
    from mmengine import registry as roots
    from mmengine.registry import init_default_scope

    init_default_scope(scope)

    stand_in = torch.nn.Linear(1, 1)
    table = arguments(folder)
    table['OPTIM_WRAPPERS']['CPUAmpOptimWrapper']['optimizer'] = (
        torch.optim.SGD(stand_in.parameters(), lr=0.1)
    )
    table['MODEL_WRAPPERS']['MMHuman3DDistributed']['module'] = stand_in
    table['MODELS']['MeshRefiner']['coarse_ids'] = torch.arange(100)
    failures: dict[str, str] = {}
    for kind, name in names:
        root = getattr(roots, kind)
        if scope != 'mmengine':
            importlib.import_module(f'{scope}.registry')
        own = root.children.get(scope, root)
        for registry in (root, own):
            try:
                if kind in ('FUNCTIONS', 'RUNNERS'):  # looked up, not called
                    built = registry.get(f'mmd2a.{name}')
                else:
                    built = registry.build(
                        dict(type=f'mmd2a.{name}', **table[kind][name])
                    )
                assert built is not None
            except Exception as error:  # all are reported together
                failures[f'{registry.scope}: {kind} {name}'] = (
                    f'{type(error).__name__}: {str(error)[-300:]}'
                )
    return dict(components=len(names), failures=failures)


def main(folder: str, scopes: list[str], names: list[list[str]]) -> None:
    """Print one line: the report of every scope, each from its process."""
    # What all of them stand on is imported once; the rest in each process.
    importlib.import_module('mmengine.runner')
    fork = multiprocessing.get_context('fork')
    with fork.Pool(2, maxtasksperchild=1) as pool:
        reports = pool.starmap_async(
            build_all,
            [(scope, folder, names) for scope in scopes],
            chunksize=1,
        ).get(timeout=300)
    sys.stdout.write(f'\n{RAN}{json.dumps(dict(zip(scopes, reports)))}\n')


if __name__ == '__main__':
    main(sys.argv[1], *json.loads(sys.argv[2]))
