/**
 * Two short tones when something begins to be wrong with a recording; off until a person wants it, and remembered.
 */

/** Where the browser keeps whether it is on. */
const SOUND = "oniscope.sound";

/** Two tones, Hz, each so long, in seconds; how loud. */
const TONES = { hz: [660, 880], seconds: 0.16, gain: 0.2 };

export class Bell {
  /** @type {AudioContext | null} */
  #audio = null;
  /** What was wrong when it was last looked at. @type {string[]} */
  #known = [];

  /** @param {Pick<Storage, "getItem" | "setItem">} [store] @param {() => AudioContext} [make] */
  constructor(store = localStorage, make = () => new AudioContext()) {
    this.store = store;
    this.make = make;
    this.on = store.getItem(SOUND) === "on";
  }

  /** A person wants it, or not any more; browsers let a page sound once a person has pressed something. @param {boolean} on */
  set(on) {
    this.on = on;
    this.store.setItem(SOUND, on ? "on" : "off");
    if (on) this.ring();
  }

  /** Rings for what was not wrong before. @param {string[]} wrong  names of what is wrong @returns {boolean} whether it rang */
  hear(wrong) {
    const fresh = wrong.some((name) => !this.#known.includes(name));
    this.#known = wrong;
    if (fresh && this.on) this.ring();
    return fresh && this.on;
  }

  ring() {
    const audio = (this.#audio ??= this.make());
    void audio.resume();
    TONES.hz.forEach((hz, i) => {
      const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + i * TONES.seconds;
      tone.frequency.value = hz;
      volume.gain.value = TONES.gain;
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + TONES.seconds * 0.9);
    });
  }
}
