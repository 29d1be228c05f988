// @ts-check
/** Whatever is sent through it is thrown away: nobody listens at its other end. */
const nowhere = (() => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Gives the memory of a buffer back at once. JavaScript's collector comes when its own heap has grown, which buffers are no part of: hundreds of megabytes of them
 * that nobody referred to any more were kept so. (Chromium keeps those, too, that are ended by ArrayBuffer.transfer(0): what it read them into knows nothing of it.)
 * @param {ArrayBuffer} buffer  has no bytes afterwards
 */
export function free(buffer) {
  nowhere.postMessage(null, [buffer]);
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
}
