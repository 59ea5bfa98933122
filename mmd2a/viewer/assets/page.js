// The page: what is told in #data, on the stage, by the controls.

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId('data').textContent);

/** Pictures of all frames, decoded when they are shown; null without. */
const photos = page.frames.map(({ name, picture }) => {
  if (!picture) return null;
  const image = new Image();
  image.alt = name;
  image.draggable = false;
  image.src = picture;
  return image;
});

/** Everybody, unpacked. */
async function readPeople() {
  const faces = new THREE.BufferAttribute(await unpacked(page.faces), 1);
  const lut = new Float32Array(3 * 256);
  page.sigma?.colors.forEach((color, level) => {
    new THREE.Color()
      .setRGB(...color.map((c) => c / 255), THREE.SRGBColorSpace)
      .toArray(lut, 3 * level);
  });
  return Promise.all(
    page.people.map(async (told) => {
      const vertices = await unpacked(told.vertices);
      const levels = told.sigma && (await unpacked(told.sigma));
      return new Person(told, faces, vertices, levels, lut);
    }),
  );
}

/** Lay the picture of the frame where it belongs. */
function layPhoto(stage) {
  const pane = byId('photo');
  const image = photos[stage.frame];
  if (!image) {
    if (!pane.querySelector('p')) {
      const text = document.createElement('p');
      text.textContent = 'The picture is not on this page.';
      pane.replaceChildren(text);
    }
    return;
  }
  if (pane.firstChild !== image) pane.replaceChildren(image);
  const box =
    stage.view === 'over'
      ? stage.backdrop()
      : stage.contained(pane.clientWidth, pane.clientHeight);
  image.style.width = `${box.width}px`;
  image.style.height = `${box.height}px`;
  image.style.transform = `translate(${box.left}px, ${box.top}px)`;
}

let numbersTold = '';

/** What is told of the people of a frame. */
function tellNumbers(stage) {
  const lines = stage.people
    .filter((person) => person.mesh.visible)
    .map(({ name, transl, row, told }) => {
      const doubt = told.mean_sigma_mm?.[row] ?? null;
      return (
        `${name}: ${transl[row][2].toFixed(1)} m away` +
        (told.assumed[row] ? ' (field of view assumed)' : '') +
        (doubt === null ? '' : `, sigma ${Math.round(doubt)} mm`)
      );
    });
  if (!lines.length) lines.push('nobody in this picture');
  // What has not changed is not to be read out again.
  if (numbersTold === lines.join()) return;
  numbersTold = lines.join();
  byId('numbers').replaceChildren(
    ...lines.map((line) => {
      const item = document.createElement('li');
      item.textContent = line;
      return item;
    }),
  );
}

function addColors(stage, changed) {
  byId('colors').hidden = !page.sigma;
  if (!page.sigma) return;
  const [least, most] = page.sigma.limits_mm;
  const stops = page.sigma.colors
    .slice(0, 255)
    .filter((_, level) => level % 16 === 0 || level === 254);
  byId('bar').style.background =
    `linear-gradient(to right, ${stops.map((c) => `rgb(${c})`)})`;
  byId('bar').setAttribute('aria-label', `from ${least} to ${most} mm`);
  byId('least').textContent = `≤ ${least} mm`;
  byId('most').textContent = `≥ ${most} mm`;
  for (const input of document.getElementsByName('color')) {
    input.addEventListener('change', () => {
      stage.sigma = input.value === 'sigma';
      byId('legend').hidden = !stage.sigma;
      changed();
    });
  }
}

function addPeople(stage, changed) {
  const select = byId('person');
  byId('who').hidden = stage.people.length < 2;
  select.add(new Option('everybody', 'all'));
  for (const [index, person] of stage.people.entries()) {
    select.add(new Option(person.name, index));
  }
  select.addEventListener('change', () => {
    stage.people.forEach((person, index) => {
      person.chosen = [String(index), 'all'].includes(select.value);
    });
    changed();
  });
}

function addTime(stage, changed) {
  const slider = byId('frame');
  const play = byId('play');
  const count = page.frames.length;
  byId('time').hidden = count < 2;
  slider.max = count - 1;
  let started = null;

  function show(frame) {
    stage.frame = frame;
    slider.value = frame;
    const texts = [page.frames[frame].name, `${frame + 1} of ${count}`];
    [...byId('frame-name').children].forEach((part, i) => {
      part.textContent = texts[i];
    });
    slider.setAttribute('aria-valuetext', texts.join(', '));
    changed();
  }

  function run(now) {
    if (started === null) return;
    const frame = Math.floor(((now - started) / 1000) * page.fps) % count;
    if (frame !== stage.frame && frame >= 0) show(frame);
    requestAnimationFrame(run);
  }

  function playing(on) {
    started = on
      ? performance.now() - (1000 * (stage.frame + 0.5)) / page.fps
      : null;
    play.setAttribute('aria-pressed', String(on));
    play.textContent = on ? 'Pause' : 'Play';
    // A frame 25 times a second is too much to be read out.
    byId('numbers').setAttribute('aria-live', on ? 'off' : 'polite');
    if (on) requestAnimationFrame(run);
  }

  slider.addEventListener('input', () => {
    playing(false);
    show(Number(slider.value));
  });
  play.addEventListener('click', () => playing(started === null));
  show(0);
}

async function download(stage) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await stage.glb());
  const frame = page.frames.length > 1 ? `_${stage.frame}` : '';
  link.download = `${page.title.replace(/\.[^.]*$/, '')}${frame}.glb`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function open() {
  const stage = new Stage(byId('mesh'), page, await readPeople());
  const frameOnPage = byId('stage');
  const changed = paced(
    (sharpness) => {
      frameOnPage.toggleAttribute('data-turned', stage.turned);
      stage.draw(sharpness);
      layPhoto(stage);
      tellNumbers(stage);
    },
    (busy) => frameOnPage.setAttribute('aria-busy', String(busy)),
  );
  const resized = () => {
    stage.fit();
    changed();
  };
  stage.fit();
  for (const input of document.getElementsByName('view')) {
    input.addEventListener('change', () => {
      stage.view = frameOnPage.dataset.view = input.value;
      stage.reset();
      resized();
    });
  }
  addColors(stage, changed);
  addPeople(stage, changed);
  addTime(stage, changed);
  addGestures(stage, changed);
  byId('align').addEventListener('click', () => {
    stage.reset();
    changed();
  });
  byId('download').addEventListener('click', () => download(stage));
  byId('panel').addEventListener('submit', (event) => event.preventDefault());
  byId('time').addEventListener('submit', (event) => event.preventDefault());
  stage.canvas.addEventListener('webglcontextrestored', resized);
  new ResizeObserver(resized).observe(stage.canvas);
  byId('notice').textContent = '';
}

open().catch((error) => {
  byId('notice').textContent =
    `The mesh cannot be shown here (${error.message}). The page needs WebGL 2 ` +
    'and a browser of 2023 or later.';
  throw error;
});
