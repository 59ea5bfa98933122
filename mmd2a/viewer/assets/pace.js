// When to draw, and with how many pixels.

/** A drawing may take this long, ms: 30 pictures a second and some room. */
const AT_MOST = 28;
/** Of the pixels along a side, however slow the machine is. */
const LEAST = 0.2;
/** After so long without a change the picture is drawn in full, ms. */
const REST = 200;

/**
 * A function that has something drawn, once before the next picture of the
 * screen however often it is called. `draw` is given the share of the full
 * resolution, along a side: less on machines that cannot draw it in time, but
 * 1 when nothing moves. `busy` is told when something begins to move, and when
 * all is drawn in full.
 */
function paced(draw, busy) {
  let waits = false;
  let share = 1;
  let rest;

  function tookThatLong(time) {
    const step = Math.max(0.7, Math.sqrt(AT_MOST / time));
    if (time > AT_MOST) share = Math.max(LEAST, step * share);
    else if (time < 0.7 * AT_MOST) share = Math.min(1, 1.02 * share);
  }

  function restAfter(wait) {
    clearTimeout(rest);
    rest = setTimeout(() => {
      if (waits) return restAfter(wait);
      if (share < 1) draw(1);
      busy(false);
    }, wait);
  }

  return () => {
    busy(true);
    restAfter(REST);
    if (waits) return;
    waits = true;
    requestAnimationFrame((start) => {
      waits = false;
      draw(share);
      // The next picture comes when this one is drawn.
      requestAnimationFrame((end) => tookThatLong(end - start));
    });
  };
}
