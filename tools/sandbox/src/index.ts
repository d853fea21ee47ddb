/** What other tools use: building image archives. */
export {
  writeImageArchive,
  writeImagesArchive,
  type ArchiveOptions,
  type ImageConfig,
  type ImageSpec,
  type LayerEntry,
  type LayerSpec,
} from './image-archive';
export { libraryClosure, machineFiles, mergedUsrLinks } from './library-closure';
