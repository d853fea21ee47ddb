export { createKernelDatapath, type KernelDatapathOptions } from './kernel-datapath';
export { dropReasonName, dropReasons } from './drop-reasons';
