// The meshes of one frame at a time: as the camera of the picture saw them, or
// beside it, turned, moved and zoomed.
//
// Metres with +y up and +z towards the viewer, the camera at the origin; the
// canvas in CSS pixels from its upper left corner.

const NEAR = 0.02;
const FAR = 500;
// Half the field of view of the mesh beside the picture.
const HALF_VIEW = (15 * Math.PI) / 180;

/** From OpenCV's frame to the one here: half a turn about x. */
function upright([x, y, z]) {
  return new THREE.Vector3(x, -y, -z);
}

/** One person: numbers of all frames, the mesh of the one that is shown. */
class Person {
  constructor(told, faces, vertices, levels, lut) {
    this.name = told.name;
    this.transl = told.transl;
    this.told = told;
    this.chosen = true;
    this.rows = new Map(told.frames.map((frame, row) => [frame, row]));
    this.row = undefined;
    this.vertices = vertices;
    this.levels = levels;
    this.lut = lut;
    this.size = told.vertices.row;
    this.radius = this.reach();
    this.positions = new THREE.BufferAttribute(new Float32Array(this.size), 3);
    const geometry = new THREE.BufferGeometry();
    geometry.setIndex(faces);
    geometry.setAttribute('position', this.positions);
    if (levels) {
      this.colors = new THREE.BufferAttribute(new Float32Array(this.size), 3);
      geometry.setAttribute('color', this.colors);
    }
    this.plain = new THREE.MeshLambertMaterial();
    this.plain.color.setRGB(...told.color, THREE.SRGBColorSpace);
    this.doubt = new THREE.MeshLambertMaterial({ vertexColors: true });
    this.mesh = new THREE.Mesh(geometry, this.plain);
    this.mesh.name = told.name;
    // Its bounds change with every frame, and it is nearly always in view.
    this.mesh.frustumCulled = false;
  }

  /** Distance of the farthest vertex of any frame from the root. */
  reach() {
    let most = 0;
    for (let i = 0; i < this.vertices.length; i += 3) {
      const [x, y, z] = this.vertices.subarray(i, i + 3);
      most = Math.max(most, x * x + y * y + z * z);
    }
    return Math.sqrt(most) * this.told.step;
  }

  /** Take the shape of a frame, if the person is in it and is to be seen. */
  pose(frame) {
    const row = this.rows.get(frame);
    this.mesh.visible = this.chosen && row !== undefined;
    if (!this.mesh.visible || row === this.row) return;
    this.row = row;
    const { step } = this.told;
    const { array } = this.positions;
    const start = row * this.size;
    for (let i = 0; i < this.size; i += 3) {
      array[i] = step * this.vertices[start + i];
      array[i + 1] = -step * this.vertices[start + i + 1];
      array[i + 2] = -step * this.vertices[start + i + 2];
    }
    this.positions.needsUpdate = true;
    this.mesh.geometry.computeVertexNormals();
    if (this.levels) this.paint(start / 3);
  }

  /** Colours of sigma; linear, as three.js has them. */
  paint(start) {
    const { array } = this.colors;
    for (let i = 0; i < this.size / 3; i++) {
      const color = 3 * this.levels[start + i];
      for (let k = 0; k < 3; k++) array[3 * i + k] = this.lut[color + k];
    }
    this.colors.needsUpdate = true;
  }

  /** Where the root of the frame that is shown is. */
  place() {
    return upright(this.transl[this.row]);
  }
}

class Stage {
  constructor(canvas, page, people) {
    this.canvas = canvas;
    this.page = page;
    this.people = people;
    this.frame = 0;
    this.view = 'over';
    this.renderer = new THREE.WebGLRenderer({ canvas, alpha: true });
    this.camera = new THREE.Camera();
    this.scene = new THREE.Scene();
    this.world = new THREE.Group();
    this.world.add(...people.map((person) => person.mesh));
    const key = new THREE.DirectionalLight(0xffffff, 2);
    key.position.set(-0.6, 0.9, 1);
    const sky = new THREE.HemisphereLight(0xffffff, 0x777777, 1.4);
    this.scene.add(this.world, key, sky);
    this.reset();
  }

  /** Back to the view of the camera of the picture. */
  reset() {
    Object.assign(this, { yaw: 0, pitch: 0, zoom: 1, right: 0, down: 0 });
  }

  /** Turn by angles, radians. */
  turn(yaw, pitch) {
    this.yaw += yaw;
    const most = Math.PI / 2;
    this.pitch = Math.min(most, Math.max(-most, this.pitch + pitch));
  }

  /** Whether the mesh is not as the camera saw it. */
  get turned() {
    // Turned and turned back, numbers are not quite what they were.
    return Math.abs(this.yaw) + Math.abs(this.pitch) > 1e-6;
  }

  /** Move by CSS pixels. */
  move(right, down) {
    this.right += right;
    this.down += down;
  }

  /** Zoom by a factor about a place of the canvas, which stays where it is. */
  zoomAt(factor, x, y) {
    const zoom = Math.min(20, Math.max(0.5, this.zoom * factor));
    const ratio = zoom / this.zoom;
    const left = x - this.width / 2;
    const top = y - this.height / 2;
    this.right = left - (left - this.right) * ratio;
    this.down = top - (top - this.down) * ratio;
    this.zoom = zoom;
  }

  /** Take the size of the canvas on the page. */
  fit() {
    this.width = Math.max(1, this.canvas.clientWidth);
    this.height = Math.max(1, this.canvas.clientHeight);
    this.renderer.setSize(this.width, this.height, false);
  }

  /** Where the picture lies on a pane of a size, whole: scale and corner. */
  contained(width, height) {
    const [wide, high] = this.page.frames[this.frame].size;
    const scale = Math.min(width / wide, height / high);
    return {
      scale,
      left: (width - wide * scale) / 2,
      top: (height - high * scale) / 2,
      width: wide * scale,
      height: high * scale,
    };
  }

  /** Where the picture lies behind the mesh. */
  backdrop() {
    const box = this.contained(this.width, this.height);
    const { zoom, width, height } = this;
    return {
      left: (box.left - width / 2) * zoom + width / 2 + this.right,
      top: (box.top - height / 2) * zoom + height / 2 + this.down,
      width: box.width * zoom,
      height: box.height * zoom,
    };
  }

  /**
   * Draw the frame, with a share of the pixels along a side.
   *
   * All are two for each of CSS: edges are smooth on a plain screen, for less
   * than the renderer's own antialiasing takes where a CPU draws.
   */
  draw(sharpness) {
    const most = Math.min(2, 4096 / Math.max(this.width, this.height));
    const ratio = Math.ceil(10 * sharpness * most) / 10;
    if (ratio !== this.renderer.getPixelRatio()) {
      this.renderer.setPixelRatio(ratio);
    }
    for (const person of this.people) {
      person.pose(this.frame);
      person.mesh.material = this.sigma ? person.doubt : person.plain;
    }
    const seen = this.people.filter((person) => person.mesh.visible);
    const turn = new THREE.Quaternion().setFromEuler(
      new THREE.Euler(this.pitch, this.yaw, 0),
    );
    if (this.view === 'over') this.placeOver(seen, turn);
    else this.placeBeside(seen, turn);
    this.renderer.render(this.scene, this.camera);
  }

  /** Everybody where the camera saw them, turned on the spot. */
  placeOver(seen, turn) {
    this.world.position.set(0, 0, 0);
    this.world.quaternion.identity();
    for (const person of seen) {
      person.mesh.position.copy(person.place());
      person.mesh.quaternion.copy(turn);
    }
    const { scale, left, top } = this.contained(this.width, this.height);
    const [fx, skew, cx, fy, cy] = this.page.frames[this.frame].K;
    // Centres of pixels are at integers, the edge of the first at -0.5.
    this.look(
      scale * fx,
      scale * skew,
      scale * (cx + 0.5) + left,
      scale * fy,
      scale * (cy + 0.5) + top,
    );
  }

  /** All together before a camera of their own, turned as one. */
  placeBeside(seen, turn) {
    const center = new THREE.Vector3();
    for (const person of seen) {
      center.addScaledVector(person.place(), 1 / seen.length);
    }
    for (const person of seen) {
      person.mesh.position.copy(person.place()).sub(center);
      person.mesh.quaternion.identity();
    }
    // Seen from where the picture was taken.
    const ahead = new THREE.Vector3(0, 0, -1);
    const ray = seen.length ? center.normalize() : ahead;
    const straight = new THREE.Quaternion().setFromUnitVectors(ray, ahead);
    this.world.quaternion.multiplyQuaternions(turn, straight);
    this.world.position.set(0, 0, -this.radius() / Math.sin(HALF_VIEW));
    const side = Math.min(this.width, this.height);
    const focal = side / 2 / Math.tan(HALF_VIEW);
    this.look(focal, 0, this.width / 2, focal, this.height / 2);
  }

  /** Of a ball that holds the chosen people, in whatever frame. */
  radius() {
    const chosen = this.people.filter((person) => person.chosen);
    const key = chosen.map((person) => person.name).join();
    if (this.ball?.key === key) return this.ball.radius;
    let radius = 0.1;
    for (let frame = 0; frame < this.page.frames.length; frame++) {
      const there = chosen.filter((person) => person.rows.has(frame));
      const places = there.map((p) => upright(p.transl[p.rows.get(frame)]));
      const center = new THREE.Vector3();
      for (const place of places) {
        center.addScaledVector(place, 1 / places.length);
      }
      there.forEach((person, i) => {
        const reach = places[i].distanceTo(center) + person.radius;
        radius = Math.max(radius, reach);
      });
    }
    this.ball = { key, radius };
    return radius;
  }

  /** Project by intrinsics in pixels of the canvas, zoomed and moved. */
  look(fx, skew, cx, fy, cy) {
    const { width: w, height: h, zoom } = this;
    const x = (cx - w / 2) * zoom + w / 2 + this.right;
    const y = (cy - h / 2) * zoom + h / 2 + this.down;
    const depth = 1 / (NEAR - FAR);
    // prettier-ignore
    this.camera.projectionMatrix.set(
      2 * fx * zoom / w, -2 * skew * zoom / w, 1 - 2 * x / w, 0,
      0, 2 * fy * zoom / h, 2 * y / h - 1, 0,
      0, 0, (FAR + NEAR) * depth, 2 * FAR * NEAR * depth,
      0, 0, -1, 0,
    );
    this.camera.projectionMatrixInverse
      .copy(this.camera.projectionMatrix)
      .invert();
  }

  /** The people that are seen, as the camera saw them, as a binary glTF. */
  async glb() {
    const scene = new THREE.Scene();
    for (const person of this.people) {
      if (!person.mesh.visible) continue;
      const copy = new THREE.Mesh(person.mesh.geometry, person.mesh.material);
      copy.name = person.name;
      copy.position.copy(person.place());
      scene.add(copy);
    }
    const exporter = new THREE.GLTFExporter();
    const bytes = await exporter.parseAsync(scene, { binary: true });
    return new Blob([bytes], { type: 'model/gltf-binary' });
  }
}
