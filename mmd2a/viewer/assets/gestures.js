// Fingers, mouse, wheel and keys on the canvas.

/** Turn, move and zoom a stage by them; `changed` is called after each. */
function addGestures(stage, changed) {
  const { canvas } = stage;
  const pointers = new Map();

  /** The middle of the pointers that are down, and how far they are apart. */
  function grip() {
    const [a, b = a] = pointers.values();
    return {
      x: (a.x + b.x) / 2,
      y: (a.y + b.y) / 2,
      apart: Math.hypot(a.x - b.x, a.y - b.y),
    };
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  canvas.addEventListener('pointerdown', (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size < 2) pointers.set(event.pointerId, place(event));
  });
  for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener('pointermove', (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = grip();
    pointers.set(event.pointerId, place(event));
    const now = grip();
    const right = now.x - before.x;
    const down = now.y - before.y;
    if (pointers.size === 2 || event.buttons !== 1 || event.shiftKey) {
      stage.move(right, down);
      if (before.apart > 0) stage.zoomAt(now.apart / before.apart, now.x, now.y);
    } else {
      // Across the canvas: half a turn.
      const angle = Math.PI / Math.min(stage.width, stage.height);
      stage.turn(right * angle, down * angle);
    }
    changed();
  });
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      // Lines and pages are told as such.
      const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
      const { x, y } = place(event);
      stage.zoomAt(Math.exp(-pixels / 500), x, y);
      changed();
    },
    { passive: false },
  );
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const zooms = { '+': 1.25, '=': 1.25, '-': 0.8, '−': 0.8 };
    if (event.key in arrows) {
      const [right, down] = arrows[event.key];
      if (event.shiftKey) stage.move(24 * right, 24 * down);
      else stage.turn((right * Math.PI) / 18, (down * Math.PI) / 18);
    } else if (event.key in zooms) {
      stage.zoomAt(zooms[event.key], stage.width / 2, stage.height / 2);
    } else if (event.key === '0' || event.key === 'Home') {
      stage.reset();
    } else {
      return;
    }
    event.preventDefault();
    changed();
  });
}
